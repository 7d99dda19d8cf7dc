import type { MetricDefinition } from '../../src/signals/semconv.ts';

/** Units that become a word of the name; every other one (annotations such as `{call}` included) adds nothing. */
const UNIT_WORDS: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  '%': 'percent',
  Hz: 'hertz',
  Cel: 'celsius',
};

/** What of an instrument decides its name in Prometheus. */
export type NamedInstrument = Pick<MetricDefinition, 'name' | 'unit' | 'instrument'>;

const words = (text: string): string[] => text.split(/[^A-Za-z0-9:]+/).filter((word) => word !== '');

/**
 * The name that Prometheus' OTLP receiver gives to an instrument under `translation_strategy: UnderscoreEscapingWithSuffixes`
 * (rules: OpenTelemetry specification, "OTLP metric points to Prometheus"; measured table in the test). The only place where
 * this product knows of it: every query in a dashboard or rule goes through here.
 *
 * @param metric name, unit and kind of the instrument
 * @returns the name of the series; for a histogram the base that `_bucket`, `_sum` and `_count` follow
 */
export function prometheusName(metric: NamedInstrument): string {
  let tokens = words(metric.name);
  const unit = UNIT_WORDS[metric.unit];
  if (unit !== undefined && !tokens.includes(unit)) tokens.push(unit);
  if (metric.instrument === 'counter') tokens = [...tokens.filter((word) => word !== 'total'), 'total'];
  if (metric.instrument === 'gauge' && metric.unit === '1') {
    tokens = [...tokens.filter((word) => word !== 'ratio'), 'ratio'];
  }
  const name = tokens.join('_');
  return /^\d/.test(name) ? `_${name}` : name;
}

/**
 * @param metric an instrument
 * @returns the names of every series that it produces
 */
export function prometheusSeries(metric: NamedInstrument): readonly string[] {
  const name = prometheusName(metric);
  return metric.instrument === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name];
}

/**
 * @param attribute the key of an OpenTelemetry attribute
 * @returns the label that Prometheus makes of it
 */
export function prometheusLabel(attribute: string): string {
  const label = attribute.replaceAll(/[^A-Za-z0-9_]/g, '_');
  return /^\d/.test(label) ? `key_${label}` : label;
}
