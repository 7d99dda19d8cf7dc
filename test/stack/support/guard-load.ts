import { createServer, type Server } from 'node:http';
import { TRANSITION_KEYS } from '../../../src/core/stats.ts';
import { OUTCOMES, SUPPRESSION_REASONS } from '../../../src/core/outcome.ts';
import { BREAKER_STATES } from '../../../src/core/events.ts';
import { prometheusLabel, prometheusName } from '../../../src/signals/prometheus-name.ts';
import * as semconv from '../../../src/signals/semconv.ts';

type Labels = Readonly<Record<string, string>>;

const REJECTIONS = [
  'breaker/open',
  'breaker/half_open',
  'breaker/forced_open',
  'bulkhead/full',
  'bulkhead/queue_timeout',
  'rate_limit/rate_limited',
  'timeout/deadline',
  'retry/deadline',
];
const CACHE_RESULTS = ['hit', 'miss', 'stale', 'stale_error', 'negative', 'coalesced'];
const ORIGINS = ['live', 'cache', 'stale', 'fallback'];

/** What a guard does a second, by the last of its labels; 0 for everything else. */
const RATES: Readonly<Record<string, number>> = {
  live: 10,
  cache: 5,
  success: 10,
  hit: 5,
  miss: 0.5,
};
/** And what happens now and then to the first guard of each service. */
const NOW_AND_THEN: Readonly<Record<string, number>> = {
  failure: 0.01,
  timeout: 0.01,
  cancelled: 0.01,
  retry: 0.01,
};
const SERVED = 'success';

type Series = readonly [metric: semconv.MetricDefinition, labels: Labels, rate: number, ofFirst: number];

const rates = (key: string): readonly [number, number] => [
  RATES[key] ?? 0,
  RATES[key] ?? NOW_AND_THEN[key] ?? 0,
];

function of(metric: semconv.MetricDefinition, key: string, values: readonly string[]): readonly Series[] {
  return values.map((value) => [metric, { [key]: value }, ...rates(value)]);
}

function ofPair(
  metric: semconv.MetricDefinition,
  keys: readonly [string, string],
  pairs: readonly string[],
): readonly Series[] {
  return pairs.map((pair) => {
    const [first = '', second = ''] = pair.split('/');
    return [metric, { [keys[0]]: first, [keys[1]]: second }, ...rates(first === SERVED ? second : first)];
  });
}

const { ATTR_ORIGIN: ORIGIN, ATTR_OUTCOME: OUTCOME, ATTR_POLICY_NAME: POLICY, ATTR_REASON: REASON } = semconv;

/** Every series of one guard with every policy, but for the histograms, which no rule reads. */
const SERIES: readonly Series[] = [
  ...ofPair(
    semconv.METRIC_CALLS,
    [OUTCOME, ORIGIN],
    [
      ...OUTCOMES.filter((outcome) => outcome !== SERVED).map((outcome) => `${outcome}/live`),
      ...ORIGINS.map((origin) => `${SERVED}/${origin}`),
    ],
  ),
  ...of(semconv.METRIC_ATTEMPTS, OUTCOME, ['success', 'failure', 'timeout', 'cancelled']),
  ...of(semconv.METRIC_RETRY_SUPPRESSED, REASON, SUPPRESSION_REASONS),
  ...ofPair(semconv.METRIC_REJECTIONS, [POLICY, REASON], REJECTIONS),
  ...of(semconv.METRIC_WAIT_TIME, POLICY, ['retry', 'bulkhead', 'rate_limit']),
  ...of(semconv.METRIC_BREAKER_STATE, semconv.ATTR_BREAKER_STATE, BREAKER_STATES),
  ...ofPair(
    semconv.METRIC_BREAKER_TRANSITIONS,
    [semconv.ATTR_BREAKER_FROM, semconv.ATTR_BREAKER_TO],
    TRANSITION_KEYS,
  ),
  ...of(semconv.METRIC_CACHE_REQUESTS, semconv.ATTR_CACHE_RESULT, CACHE_RESULTS),
  ...[
    semconv.METRIC_CALL_ABANDONED,
    semconv.METRIC_BULKHEAD_ACTIVE,
    semconv.METRIC_BULKHEAD_LIMIT,
    semconv.METRIC_BULKHEAD_QUEUED,
    semconv.METRIC_BULKHEAD_QUEUE_LIMIT,
    semconv.METRIC_RATE_LIMITER_AVAILABLE,
    semconv.METRIC_RATE_LIMITER_LIMIT,
    semconv.METRIC_RATE_LIMITER_STORE_FAILURES,
    semconv.METRIC_RATE_LIMITER_UNLIMITED,
    semconv.METRIC_CACHE_ENTRIES,
    semconv.METRIC_CACHE_TIER_FAILURES,
  ].map((metric): Series => [metric, {}, 0, 0]),
];

/** How many series one guard has. */
export const SERIES_OF_GUARD: number = SERIES.length;

function written(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${prometheusLabel(key)}="${value}"`)
    .join(',');
}

/** Gauges that make a guard look well: closed, with room. */
function steady(metric: semconv.MetricDefinition, labels: Labels): number {
  if (metric === semconv.METRIC_BREAKER_STATE) return labels[semconv.ATTR_BREAKER_STATE] === 'closed' ? 1 : 0;
  return metric === semconv.METRIC_BULKHEAD_LIMIT ? 10 : 1;
}

/** Services with guards that are well, one in some trouble, as one page of metrics to be scraped. */
export class GuardLoad {
  readonly #server: Server;
  readonly #started = Date.now();

  constructor(services: number, guards: number) {
    const owners = Array.from({ length: services }, (_, service) =>
      Array.from({ length: guards }, (_, guard) =>
        written({
          'service.name': `service-${service}`,
          'service.namespace': 'load',
          'service.instance.id': `instance-${service}`,
          'host.name': `host-${service % 20}`,
          [semconv.ATTR_GUARD_NAME]: `guard-${guard}`,
        }),
      ),
    ).flat();
    const parts = SERIES.map(([metric, labels, rate, ofFirst]) => ({
      head: `${prometheusName(metric)}{${Object.keys(labels).length > 0 ? `${written(labels)},` : ''}`,
      rate,
      ofFirst,
      value: metric.instrument === 'counter' ? undefined : steady(metric, labels),
    }));
    this.#server = createServer((_, response) => {
      const seconds = Math.round((Date.now() - this.#started) / 1_000);
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
      for (const { head, rate, ofFirst, value } of parts) {
        const tail = `} ${value ?? rate * seconds}\n`;
        const first = `} ${value ?? ofFirst * seconds}\n`;
        response.write(
          owners.map((owner, index) => head + owner + (index % guards === 0 ? first : tail)).join(''),
        );
      }
      response.end();
    });
  }

  /** @returns host and port */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('Expected a port, got none.');
    return `127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
