import { afterEach, expect, test } from 'vitest';
import { promQuery } from './support/backend-queries.ts';
import { type CollectorCounts, collectorCounts } from './support/collector-counts.ts';
import { Demo } from './support/demo.ts';
import { memoryLimits } from './support/memory-limits.ts';
import { until } from './support/poll.ts';
import { Stack } from './support/stack.ts';
import { SteadyLoad } from './support/steady-load.ts';

/** The demo has one load, twenty shoppers a second; `KEELSON_DEMO_FOR=60s` makes it last for a minute. */
const RUN_FOR = process.env['KEELSON_DEMO_FOR'] ?? '20s';
/** Several times what the demo makes. */
const SPANS_A_SECOND = 2_500;
const SPANS = 25_000;
const SPANS_MS = 60_000;

const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function start(limitMib?: number): Promise<Stack> {
  const stack = await Stack.start({ overlays: memoryLimits(limitMib) });
  ends.push(() => stack.stop());
  return stack;
}

async function counts(stack: Stack): Promise<CollectorCounts> {
  const response = await fetch(`http://127.0.0.1:${stack.ports.collectorMetrics}/metrics`);
  return collectorCounts(await response.text());
}

const NOTHING_LOST = { refused: 0, sendFailed: 0, enqueueFailed: 0 };

/** The fullest sending queue so far, as a share of its room. */
async function queueUse(stack: Stack): Promise<number> {
  const [used] = await promQuery(
    stack,
    'max(max_over_time((otelcol_exporter_queue_size / otelcol_exporter_queue_capacity)[5m:1s]))',
  );
  return Number(used?.value[1]);
}

test(`the Collector refuses and loses nothing of the demo, nor of ${SPANS_A_SECOND} spans a second`, async () => {
  const stack = await start();
  const demo = new Demo(stack, RUN_FOR);
  ends.push(() => demo.stop());
  const since = Date.now();
  const { calls } = await demo.summary();
  const seconds = (Date.now() - since) / 1_000;
  const quiet = await counts(stack);
  const quietQueue = await queueUse(stack);
  const steady = new SteadyLoad('steady', SPANS_A_SECOND, stack);
  ends.push(() => steady.stop());
  await until(
    'the spans',
    async () => ((await counts(stack)).accepted >= quiet.accepted + SPANS ? true : undefined),
    SPANS_MS,
  );
  const loud = await counts(stack);
  console.log(
    [
      `the demo for ${seconds.toFixed(0)} s: ${quiet.accepted} items accepted (${(quiet.accepted / seconds).toFixed(0)}/s), ${quiet.refused} refused, ${quiet.sendFailed + quiet.enqueueFailed} lost; fullest queue ${(quietQueue * 100).toFixed(2)} %`,
      `and ${SPANS_A_SECOND} spans a second: ${loud.accepted - quiet.accepted} items accepted, ${loud.refused} refused, ${loud.sendFailed + loud.enqueueFailed} lost; fullest queue ${((await queueUse(stack)) * 100).toFixed(2)} %`,
    ].join('\n'),
  );
  expect(Object.values(calls).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
  expect(quiet.accepted).toBeGreaterThan(0);
  expect(quiet.sent).toBeGreaterThan(0);
  expect(quiet).toMatchObject(NOTHING_LOST);
  expect(loud).toMatchObject(NOTHING_LOST);
});

test('a Collector with too little memory is seen to refuse', async () => {
  const stack = await start(1);
  const steady = new SteadyLoad('steady', SPANS_A_SECOND, stack);
  ends.push(() => steady.stop());
  const refused = await until(
    'a refusal',
    async () => {
      const found = await counts(stack);
      return found.refused > 0 ? found : undefined;
    },
    SPANS_MS,
  );
  expect(refused).not.toMatchObject(NOTHING_LOST);
});
