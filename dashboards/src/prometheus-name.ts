export {
  type NamedInstrument,
  prometheusLabel,
  prometheusName,
  prometheusSeries,
} from '../../src/signals/prometheus-name.ts';
