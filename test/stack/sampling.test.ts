import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ARRIVAL_MS, arrived, jaegerTrace } from './support/backend-queries.ts';
import { getJson, until } from './support/poll.ts';
import { ShopService } from './support/shop-service.ts';
import { Stack } from './support/stack.ts';

const GOOD = 200;
const FAILED = 10;
const COUNTED = 'sum(traces_span_metrics_calls_total{service_name="shop",span_name="POST /orders"})';

let stack: Stack;
let shop: ShopService;
const good: string[] = [];
const failed: string[] = [];

beforeAll(async () => {
  stack = await Stack.start({ overlays: ['collector/overlays/tail-sampling.yaml'] });
  shop = new ShopService('shop', stack);
  for (let each = 0; each < GOOD; each += 1) good.push(await shop.pay());
  shop.failures = Number.POSITIVE_INFINITY;
  for (let each = 0; each < FAILED; each += 1) failed.push(await shop.pay());
});

afterAll(async () => {
  await shop?.stop();
  await stack?.stop();
});

async function kept(traceIds: readonly string[]): Promise<number> {
  const found = await Promise.all(traceIds.map((traceId) => jaegerTrace(stack, traceId)));
  return found.filter((trace) => trace !== undefined).length;
}

/** One answer of the API behind Jaeger's Monitor tab. */
interface MonitorAnswer {
  readonly metrics: readonly {
    readonly metricPoints: readonly {
      readonly gaugeValue: { readonly doubleValue: number | 'NaN' };
      readonly timestamp: string;
    }[];
  }[];
}

describe('with the overlay for sampling', () => {
  test('every trace that failed or was refused is kept, whole', async () => {
    await until(
      'the traces that failed',
      async () => ((await kept(failed)) === FAILED ? true : undefined),
      ARRIVAL_MS,
    );
    const trace = await jaegerTrace(stack, failed[0] ?? '');
    expect(trace?.spans.map(({ operationName }) => operationName)).toEqual(
      expect.arrayContaining(['POST /orders', 'payments charge', 'payments charge attempt']),
    );
  });

  test('of the others a part is kept', async () => {
    const count = await until('a good trace', async () => (await kept(good)) || undefined, ARRIVAL_MS);
    console.log(`kept ${count} of ${GOOD} traces that went well`);
    expect(count).toBeLessThan(GOOD / 2);
  });

  test('every request is counted all the same', async () => {
    const [sample] = await arrived(stack, `${COUNTED} == ${GOOD + FAILED}`);
    expect(sample?.value[1]).toBe(String(GOOD + FAILED));
  });

  test('Jaeger’s Monitor tab reads the figures of the dashboards', async () => {
    const params = new URLSearchParams({
      service: 'shop',
      endTs: String(Date.now()),
      lookback: '60000',
      step: '5000',
      ratePer: '60000',
      spanKind: 'server',
    });
    const points = await until(
      'calls in the Monitor tab',
      async () => {
        params.set('endTs', String(Date.now()));
        const answer = await getJson<MonitorAnswer>(`${stack.jaeger}/api/metrics/calls?${params.toString()}`);
        const found = (answer?.metrics ?? []).flatMap(({ metricPoints }) => metricPoints);
        const positive = found.filter(({ gaugeValue }) => Number(gaugeValue.doubleValue) > 0);
        return positive.length > 0 ? positive : undefined;
      },
      ARRIVAL_MS,
    );
    const last = points.at(-1);
    const at = String(Date.parse(last?.timestamp ?? '') / 1_000);
    const query =
      'sum(rate(traces_span_metrics_calls_total{service_name="shop",span_kind="SPAN_KIND_SERVER"}[1m]))';
    const answer = await getJson<{
      readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
    }>(`${stack.prometheus}/api/v1/query?${new URLSearchParams({ query, time: at }).toString()}`);
    expect(Number(last?.gaugeValue.doubleValue)).toBeCloseTo(Number(answer?.data.result[0]?.value[1]), 3);
  });
});
