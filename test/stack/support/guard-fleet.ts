import { millisToHrTime } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { type MetricData, MeterProvider, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { createKeelson, type Guard, type GuardOptions } from '../../../src/index.ts';
import { encodeMetrics } from '../../../src/telemetry/otlp/encode/metrics.ts';
import { PullReader } from '../../../src/telemetry/prometheus/pull-reader.ts';
import { FakeClock, seededRandom } from '../../../src/testing/index.ts';

const MINUTE_MS = 60_000;
const CALLS_A_MINUTE = 20;
/** Of the calls of the first guard; all others succeed at once. */
const FAILING_EVERY = 10;
/** Stands in for the number of a service. */
const NUMBER = '@number@';

/** What one service of a fleet sends, minute by minute. */
export interface FleetExport {
  /** How many series a guard has on average, histograms included. */
  readonly seriesOfGuard: number;
  /** When it was collected, in milliseconds before the last one. */
  readonly exports: readonly { readonly agoMs: number; readonly metrics: ResourceMetrics }[];
}

/**
 * What real guards export: made with the options of a service's guards, called for some minutes on a clock of their own, collected at the
 * end of each. The first guard is in some trouble, and no other.
 *
 * @param options of each guard
 * @param minutes how many exports there are, a minute apart
 */
export async function guardExports(options: readonly GuardOptions[], minutes: number): Promise<FleetExport> {
  const clock = new FakeClock();
  const reader = new PullReader();
  const resource = resourceFromAttributes({
    'service.name': `service-${NUMBER}`,
    'service.namespace': 'load',
    'service.instance.id': `instance-${NUMBER}`,
    'service.version': '1.2.3',
    'deployment.environment.name': 'test',
    'host.name': `host-${NUMBER}`,
    'telemetry.sdk.name': 'opentelemetry',
  });
  const meterProvider = new MeterProvider({ resource, readers: [reader] });
  const keelson = createKeelson({ clock, random: seededRandom(1), meterProvider });
  const guards = options.map((each, index) => keelson.guard(`guard-${index}`, each));
  const exports: { agoMs: number; metrics: ResourceMetrics }[] = [];
  for (let minute = minutes - 1; minute >= 0; minute -= 1) {
    for (let call = 0; call < CALLS_A_MINUTE; call += 1) {
      const calls = guards.map((guard, index) =>
        callOnce(guard, options[index] ?? {}, call, index === 0 && call % FAILING_EVERY === 1),
      );
      await clock.advance(MINUTE_MS / CALLS_A_MINUTE);
      await Promise.all(calls);
    }
    const { resourceMetrics } = await reader.collect();
    exports.push({ agoMs: minute * MINUTE_MS, metrics: resourceMetrics });
  }
  await meterProvider.shutdown();
  const series = exports.at(-1)?.metrics.scopeMetrics.flatMap(({ metrics }) => metrics.map(seriesIn)) ?? [];
  return { seriesOfGuard: series.reduce((sum, count) => sum + count, 0) / options.length, exports };
}

/** One call; every second one asks the cache, where there is one. It fails once, and its retry succeeds. */
async function callOnce(guard: Guard, options: GuardOptions, call: number, fails: boolean): Promise<void> {
  const seat = options.keys ? guard.for(`key-${call % 2}`) : guard;
  let failed = !fails;
  await seat.outcome(
    'ask',
    async () => {
      if (failed) return { status: 200 };
      failed = true;
      throw new Error('The dependency is away.');
    },
    options.cache && call % 2 === 0 ? { cacheKey: String(call % 4) } : {},
  );
}

/** How many series Prometheus makes of a metric; a histogram has one for each bucket, and its sum and count. */
function seriesIn({ dataPoints }: MetricData): number {
  return dataPoints.reduce(
    (sum, { value }) =>
      sum + (typeof value === 'object' && 'buckets' in value ? value.buckets.counts.length + 2 : 1),
    0,
  );
}

function dated(metrics: ResourceMetrics, startMs: number, epochMs: number): ResourceMetrics {
  const startTime = millisToHrTime(startMs);
  const endTime = millisToHrTime(epochMs);
  const moved = (metric: MetricData): MetricData => {
    const dataPoints = metric.dataPoints.map((point) => ({ ...point, startTime, endTime }));
    return { ...metric, dataPoints } as MetricData;
  };
  return {
    ...metrics,
    scopeMetrics: metrics.scopeMetrics.map((scope) => ({ ...scope, metrics: scope.metrics.map(moved) })),
  };
}

/**
 * Sends what a service exported to Prometheus' OTLP receiver as often as there are services, as if all had sent it at its time until now.
 *
 * @param url of Prometheus
 * @param services how many, each under a name of its own
 * @throws where Prometheus does not take it
 */
export async function sendFleet(
  url: string,
  { exports }: Pick<FleetExport, 'exports'>,
  services: number,
): Promise<void> {
  const now = Date.now();
  const startMs = now - exports.length * MINUTE_MS;
  for (const { agoMs, metrics } of exports) {
    const text = Buffer.from(encodeMetrics(dated(metrics, startMs, now - agoMs))).toString('utf8');
    for (let service = 0; service < services; service += 1) {
      const response = await fetch(`${url}/api/v1/otlp/v1/metrics`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: text.replaceAll(NUMBER, String(service)),
      });
      if (!response.ok) throw new Error(`Prometheus answered ${response.status}: ${await response.text()}`);
    }
  }
}
