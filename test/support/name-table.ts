import * as signals from '../../src/signals/semconv.ts';
import type { MetricDefinition } from '../../src/signals/semconv.ts';
import { HOST_METRICS } from '../../src/telemetry/gauges/host-metrics.ts';
import { prometheusLabel, prometheusSeries } from '../../src/telemetry/prometheus/prometheus-name.ts';

/** Where the table of names is committed. */
export const NAME_TABLE = 'src/telemetry/prometheus/names.md';

/** What the instrumentations of `keelson/register` measure, with the attributes that each series has. */
export const HTTP_METRICS: readonly MetricDefinition[] = (['server', 'client'] as const).map((side) => ({
  name: `http.${side}.request.duration`,
  instrument: 'histogram',
  unit: 's',
  description: '',
  attributes: ['http.request.method', 'http.response.status_code'],
}));

function isDefinition(value: object): value is MetricDefinition {
  return 'name' in value && 'instrument' in value && 'unit' in value && 'attributes' in value;
}

function definitionsIn(value: unknown): readonly MetricDefinition[] {
  if (typeof value !== 'object' || value === null) return [];
  return isDefinition(value) ? [value] : Object.values(value).flatMap(definitionsIn);
}

/** Every metric that the product defines, and those of its instrumentations. */
export function everyMetric(): readonly MetricDefinition[] {
  return [...new Set([...definitionsIn(signals), ...HOST_METRICS, ...HTTP_METRICS])].toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

const code = (texts: readonly string[]): string => texts.map((text) => `\`${text}\``).join(', ');

/** The table as it is committed: it decides what the endpoint, OTLP, the dashboards and the rules call everything. */
export function nameTable(metrics: readonly MetricDefinition[] = everyMetric()): string {
  return [
    '# Names in Prometheus',
    '',
    'What each metric is called in Prometheus, whether it is scraped or comes as OTLP. Generated from the `semconv.ts` files: after a change run',
    '`UPDATE_NAMES=1 npx vitest run test/tidy/names.test.ts`. The stack tests compare it with the real Prometheus on both paths.',
    '',
    `Every series also has ${code(signals.PROMOTED_RESOURCE_ATTRIBUTES.map(prometheusLabel))}, as far as the resource has them.`,
    '',
    '| OpenTelemetry | instrument | unit | series in Prometheus | labels |',
    '|---|---|---|---|---|',
    ...metrics.map((metric) => {
      const { name, instrument, unit, attributes } = metric;
      const cells = [
        `\`${name}\``,
        instrument,
        unit === '' ? '' : `\`${unit}\``,
        code(prometheusSeries(metric)),
        code(attributes.map(prometheusLabel)),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
    '',
  ].join('\n');
}
