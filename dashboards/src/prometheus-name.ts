export {
  type NamedInstrument,
  prometheusLabel,
  prometheusName,
  prometheusSeries,
} from '../../src/telemetry/prometheus/prometheus-name.ts';
