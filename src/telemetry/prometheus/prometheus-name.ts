import type { MetricDefinition } from '../../signals/semconv.ts';

/**
 * The names that Prometheus' OTLP receiver gives under `translation_strategy: UnderscoreEscapingWithSuffixes`, its default. The one place
 * where this product knows of the rule: the Prometheus endpoint, the dashboards and the alert rules all take their names from here.
 * Source: github.com/prometheus/otlptranslator 1.0 (`metric_namer.go`, `label_namer.go`), as Prometheus 3.10 calls it.
 */

const UNIT_WORDS: ReadonlyMap<string, string> = new Map([
  ['d', 'days'],
  ['h', 'hours'],
  ['min', 'minutes'],
  ['s', 'seconds'],
  ['ms', 'milliseconds'],
  ['us', 'microseconds'],
  ['ns', 'nanoseconds'],
  ['By', 'bytes'],
  ['KiBy', 'kibibytes'],
  ['MiBy', 'mebibytes'],
  ['GiBy', 'gibibytes'],
  ['TiBy', 'tibibytes'],
  ['KBy', 'kilobytes'],
  ['MBy', 'megabytes'],
  ['GBy', 'gigabytes'],
  ['TBy', 'terabytes'],
  ['m', 'meters'],
  ['V', 'volts'],
  ['A', 'amperes'],
  ['J', 'joules'],
  ['W', 'watts'],
  ['g', 'grams'],
  ['Cel', 'celsius'],
  ['Hz', 'hertz'],
  ['1', ''],
  ['%', 'percent'],
]);

const PER_UNIT_WORDS: ReadonlyMap<string, string> = new Map([
  ['s', 'second'],
  ['m', 'minute'],
  ['h', 'hour'],
  ['d', 'day'],
  ['w', 'week'],
  ['mo', 'month'],
  ['y', 'year'],
]);

/** What of an instrument decides its name in Prometheus. */
export type NamedInstrument = Pick<MetricDefinition, 'name' | 'unit' | 'instrument'>;

const tokensOf = (text: string): string[] => text.split(/[^A-Za-z0-9:]+/u).filter((token) => token !== '');

const cleaned = (unit: string): string =>
  unit
    .replaceAll(/[^A-Za-z0-9:]/gu, '_')
    .replaceAll(/_+/g, '_')
    .replace(/^_/, '');

/** An annotation such as `{call}` adds nothing; a unit that has no word stands for itself. */
function word(unit: string, words: ReadonlyMap<string, string>): string {
  const trimmed = unit.trim();
  return /[{}]/.test(trimmed) ? '' : (words.get(trimmed) ?? trimmed);
}

/** The words that a unit adds: `By/s` gives `bytes` and `per_second`. */
function unitTokens(unit: string, known: readonly string[]): string[] {
  const slash = unit.indexOf('/');
  const main = cleaned(word(slash < 0 ? unit : unit.slice(0, slash), UNIT_WORDS));
  const divisor = slash < 0 ? '' : word(unit.slice(slash + 1), PER_UNIT_WORDS);
  const per = divisor === '' ? '' : cleaned(`per_${divisor}`).replace(/_$/, '');
  const isPer = per !== '' && per !== 'per';
  const shown = known.includes(main) ? '' : isPer ? main.replace(/_$/, '') : main;
  return [shown, isPer ? per : ''].filter((token) => token !== '');
}

/**
 * @param metric name, unit and kind of the instrument
 * @returns the name of the series; for a histogram the base that `_bucket`, `_sum` and `_count` follow. Characters that are not ASCII letters,
 *   digits or colons separate words and are lost. Empty where nothing is left: Prometheus refuses such a metric.
 */
export function prometheusName(metric: NamedInstrument): string {
  let tokens = tokensOf(metric.name);
  tokens.push(...unitTokens(metric.unit, tokens));
  if (metric.instrument === 'counter') tokens = [...tokens.filter((token) => token !== 'total'), 'total'];
  if (metric.instrument === 'gauge' && metric.unit === '1') {
    tokens = [...tokens.filter((token) => token !== 'ratio'), 'ratio'];
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
 * @returns the label that Prometheus makes of it, with its defaults `label_name_underscore_sanitization` and
 *   `label_name_preserve_multiple_underscores`. Empty where nothing is left: Prometheus refuses such a key.
 */
export function prometheusLabel(attribute: string): string {
  const label = attribute.replaceAll(/[^A-Za-z0-9]/gu, '_');
  if (/^\d/.test(label)) return `key_${label}`;
  const named = /^_(?!_)/.test(label) ? `key${label}` : label;
  return /^_*$/.test(named) ? '' : named;
}

/**
 * @param unit the unit of an instrument
 * @returns the words that it adds to a name, joined
 */
export function prometheusUnit(unit: string): string {
  return unitTokens(unit, []).join('_').replace(/_$/, '');
}
