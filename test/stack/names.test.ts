import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  GUARD_METRICS,
  METRIC_CALL_DURATION,
  METRIC_CALLS,
  PROMOTED_RESOURCE_ATTRIBUTES,
} from '../../src/signals/semconv.ts';
import {
  prometheusLabel,
  prometheusName,
  prometheusSeries,
} from '../../src/telemetry/prometheus/prometheus-name.ts';
import { everyMetric, HTTP_METRICS } from '../support/name-table.ts';
import { jaegerTrace } from './support/backend-queries.ts';
import { NamedService } from './support/named-service-process.ts';
import { ODD_INSTRUMENTS } from './support/odd-instruments.ts';
import { until } from './support/poll.ts';
import {
  type ExemplarSeries,
  exemplarsOf,
  type SeriesLabels,
  seriesOf,
  typesOf,
  valuesOf,
} from './support/prometheus-api.ts';
import { ScrapingPrometheus } from './support/scraping-prometheus.ts';
import { Stack } from './support/stack.ts';

const ARRIVAL_MS = 30_000;

/** The service itself: the metrics of its spans and the alerts about it know of no instance. */
const SELECTOR = '{service_name="names",service_instance_id="one"}';

/** What comes from the scrape configuration on one way, and from the resource on the other. */
const OF_THE_WAY = ['job', 'instance'];

/** Written with a fraction where it is scraped, and without where it comes as OTLP: `1.0` and `1`. */
const BOUND = 'le';

let stack: Stack;
let service: NamedService;
let scraping: ScrapingPrometheus;

beforeAll(async () => {
  stack = await Stack.start();
  service = await NamedService.start(stack, 'names');
  scraping = await ScrapingPrometheus.start(stack.folder, service.target);
  await service.hasCalled();
  // Two ways on which nothing has arrived yet would agree.
  await until(
    'series on both ways',
    async () => {
      const found = await Promise.all([all(stack.prometheus), all(scraping.url)]);
      return found.every(({ length }) => length > 0) ? found : undefined;
    },
    ARRIVAL_MS,
  );
}, 90_000);

afterAll(async () => {
  await scraping?.stop();
  await service?.stop();
  await stack?.stop();
});

/** A series as text that is the same on both ways. */
function shown(labels: SeriesLabels): string {
  return Object.entries(labels)
    .filter(([label]) => !OF_THE_WAY.includes(label))
    .map(([label, value]) =>
      label === BOUND && value !== '+Inf' ? `${label}=${Number(value)}` : `${label}=${value}`,
    )
    .toSorted((a, b) => (a < b ? -1 : 1))
    .join('\n');
}

const all = async (prometheus: string): Promise<readonly string[]> =>
  (await seriesOf(prometheus, SELECTOR)).map(shown).toSorted((a, b) => (a < b ? -1 : 1));

/** Asks both until they agree, or time is up. */
async function bothWays<T>(ask: (prometheus: string) => Promise<T>): Promise<{ pushed: T; scraped: T }> {
  const askBoth = async (): Promise<{ pushed: T; scraped: T }> => {
    const [pushed, scraped] = await Promise.all([ask(stack.prometheus), ask(scraping.url)]);
    return { pushed, scraped };
  };
  const agreed = async (): Promise<{ pushed: T; scraped: T } | undefined> => {
    const both = await askBoth();
    return isDeepStrictEqual(both.pushed, both.scraped) ? both : undefined;
  };
  return until('both ways to agree', agreed, ARRIVAL_MS).catch(askBoth);
}

describe('what is pushed and what is scraped', () => {
  test('are the same series: names, labels and values of labels', async () => {
    const { pushed, scraped } = await bothWays(all);
    expect(scraped).toEqual(pushed);
    expect(scraped.length).toBeGreaterThan(300);
    const names = new Set((await seriesOf(scraping.url, SELECTOR)).map(({ __name__: name }) => name));
    const expected = [...GUARD_METRICS, ...HTTP_METRICS].flatMap(prometheusSeries);
    expect(expected.filter((name) => !names.has(name))).toEqual([]);
    expect(names).toContain('target_info');
    expect([...names].filter((name) => name?.startsWith('nodejs_'))).not.toEqual([]);
  });

  test('have the names of the committed table, and its labels', async () => {
    const promoted = PROMOTED_RESOURCE_ATTRIBUTES.map(prometheusLabel);
    const optional = new Set(['error_type', '__name__', BOUND, ...OF_THE_WAY, ...promoted]);
    const known = new Map(
      everyMetric().flatMap((metric) =>
        prometheusSeries(metric).map((name): [string, ReadonlySet<string>] => [
          name,
          new Set(metric.attributes.map(prometheusLabel)),
        ]),
      ),
    );
    const ours = (await seriesOf(stack.prometheus, SELECTOR)).filter(({ __name__: name = '' }) =>
      /^(?:keelson|system|process|container|nodejs|v8js)_/.test(name),
    );
    expect(ours.length).toBeGreaterThan(200);
    for (const { __name__: name = '', ...labels } of ours) {
      const expected = known.get(name);
      const found = Object.keys(labels).filter((label) => !optional.has(label));
      expect([name, found.toSorted()]).toEqual([
        name,
        [...(expected ?? ['missing in the table'])].filter((label) => !optional.has(label)).toSorted(),
      ]);
    }
  });

  test.each(ODD_INSTRUMENTS.map((odd) => [odd.name, odd] as const))(
    'agree with the rule about %s',
    async (_, { kind, name, unit }) => {
      const [series = ''] = prometheusSeries({ name, unit, instrument: kind });
      expect(await seriesOf(stack.prometheus, `${series}${SELECTOR}`)).not.toEqual([]);
      expect(await seriesOf(scraping.url, `${series}${SELECTOR}`)).not.toEqual([]);
    },
  );

  test('have the same values once the calls are over', async () => {
    const name = prometheusName(METRIC_CALLS);
    const calls = `sum by (keelson_outcome, keelson_origin) (${name}${SELECTOR})`;
    const count = `${prometheusName(METRIC_CALL_DURATION)}_count`;
    const durations = `sum by (keelson_operation_name) (${count}${SELECTOR})`;
    const { pushed, scraped } = await bothWays(async (prometheus) => [
      ...(await valuesOf(prometheus, calls)),
      ...(await valuesOf(prometheus, durations)),
    ]);
    expect(scraped).toEqual(pushed);
    expect(scraped.some((value) => value.includes('charge'))).toBe(true);
  });

  test('are of the types that the instruments have', async () => {
    const types = await typesOf(scraping.url);
    for (const metric of GUARD_METRICS) {
      const expected = metric.instrument === 'updowncounter' ? 'gauge' : metric.instrument;
      const name = prometheusName(metric);
      expect([name, types.get(name) ?? types.get(name.replace(/_total$/, ''))]).toEqual([name, expected]);
    }
  });
});

describe('the exemplars of call durations', () => {
  const selector = `${prometheusName(METRIC_CALL_DURATION)}_bucket${SELECTOR}`;

  const stored = (prometheus: string): Promise<readonly ExemplarSeries[]> =>
    until(
      `exemplars in ${prometheus}`,
      async () => {
        const found = await exemplarsOf(prometheus, selector);
        return found.length > 0 ? found : undefined;
      },
      ARRIVAL_MS,
    );

  test.each([
    ['pushed', () => stack.prometheus],
    ['scraped', () => scraping.url],
  ])(
    'are in Prometheus where metrics are %s, in their buckets, and lead to the trace of the call',
    async (_, url) => {
      const found = await stored(url());
      for (const { seriesLabels, exemplars } of found) {
        for (const { labels, value } of exemplars) {
          expect(labels).toEqual({
            trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
            span_id: expect.stringMatching(/^[0-9a-f]{16}$/),
          });
          const bound =
            seriesLabels[BOUND] === '+Inf' ? Number.POSITIVE_INFINITY : Number(seriesLabels[BOUND]);
          expect(Number(value)).toBeLessThanOrEqual(bound);
        }
      }
      const operation = found[0]?.seriesLabels['keelson_operation_name'];
      const one = found[0]?.exemplars.at(-1)?.labels;
      const trace = await until(
        'the trace in Jaeger',
        () => jaegerTrace(stack, one?.['trace_id'] ?? ''),
        ARRIVAL_MS,
      );
      const span = trace.spans.find(({ spanID }) => spanID === one?.['span_id']);
      expect(span?.operationName).toBe(`payments ${operation}`);
    },
  );

  test('are the same on both ways', async () => {
    const [pushed, scraped] = await Promise.all([stored(stack.prometheus), stored(scraping.url)]);
    const flat = (series: readonly ExemplarSeries[]): Map<string, string> =>
      new Map(
        series.flatMap(({ exemplars }) =>
          exemplars.map((each) => [
            each.labels['span_id'] ?? '',
            `${each.value} ${Math.round(each.timestamp * 1_000)}`,
          ]),
        ),
      );
    const all = flat(pushed);
    const common = [...flat(scraped)].filter(([span]) => all.has(span));
    expect(common).not.toEqual([]);
    for (const [span, valueAndTime] of common) expect(all.get(span)).toBe(valueAndTime);
  });
});
