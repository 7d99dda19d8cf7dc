import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ruleFiles } from '../../../dashboards/src/outputs.ts';
import { readSettings } from '../../../dashboards/src/settings/settings.ts';
import * as semconv from '../../../src/signals/semconv.ts';
import { HOST_METRICS } from '../../../src/telemetry/gauges/host-metrics.ts';
import { prometheusLabel, prometheusSeries } from '../../../src/telemetry/prometheus/prometheus-name.ts';
import { INFRASTRUCTURE } from './infrastructure-metrics.ts';
import { metricsIn, readingOf } from './promql.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** Every metric that Keelson's own `semconv.ts` files define. */
export const OWN_METRICS: readonly semconv.MetricDefinition[] = [
  ...Object.values(semconv).filter(
    (each): each is semconv.MetricDefinition =>
      typeof each === 'object' && !Array.isArray(each) && 'instrument' in each,
  ),
  ...HOST_METRICS,
];

/** Resource attributes that become labels of every series, as the shipped Prometheus is told. */
function promoted(): readonly string[] {
  const config = parse(readFileSync(join(ROOT, 'dashboards/prometheus/prometheus.yml'), 'utf8')) as {
    readonly otlp: { readonly promote_resource_attributes: readonly string[] };
  };
  return config.otlp.promote_resource_attributes.map(prometheusLabel);
}

/** Whether an expression reads what the stack says about itself, and nothing of services. */
function isOfStack(expr: string): boolean {
  return metricsIn(expr).every((name) => INFRASTRUCTURE[name]?.includes('service_name') === false);
}

/** @returns every series that a query may read, with its labels */
export function knownSeries(): ReadonlyMap<string, ReadonlySet<string>> {
  const resource = [...promoted(), 'job', 'instance'];
  const own = OWN_METRICS.flatMap((metric) =>
    prometheusSeries(metric).map((series): readonly [string, ReadonlySet<string>] => [
      series,
      new Set([
        ...metric.attributes.map(prometheusLabel),
        ...resource,
        ...(series.endsWith('_bucket') ? ['le'] : []),
      ]),
    ]),
  );
  const groups = ruleFiles(readSettings()).flatMap((file) => file.groups);
  const recorded = groups.flatMap(({ recordings }) =>
    recordings.map(({ record, expr, labels }): readonly [string, ReadonlySet<string>] => [
      record,
      new Set([
        ...Object.keys(labels ?? {}),
        ...readingOf(expr).grouping,
        ...(isOfStack(expr) ? [] : ['slo', ...promoted()]),
      ]),
    ]),
  );
  const infrastructure = Object.entries(INFRASTRUCTURE).map(
    ([series, labels]): readonly [string, ReadonlySet<string>] => [
      series,
      new Set([...labels, 'job', 'instance']),
    ],
  );
  const alertLabels = new Set(
    groups.flatMap(({ alerts }) => alerts.flatMap(({ expr }) => readingOf(expr).grouping)),
  );
  return new Map([
    ...own,
    ...recorded,
    ...infrastructure,
    ['target_info', new Set([...resource, 'telemetry_sdk_name'])],
    ['ALERTS', new Set(['alertname', 'alertstate', 'severity', ...alertLabels])],
  ]);
}
