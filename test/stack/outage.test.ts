import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Telemetry } from '../../src/telemetry/index.ts';
import { shownSamples } from './support/backend-queries.ts';
import { complaint, queriesShownBy } from './support/dashboard-queries.ts';
import { ownTelemetry } from './support/own-telemetry.ts';
import { Stack } from './support/stack.ts';
import { allStored, journalTraces, SteadyLoad } from './support/steady-load.ts';

const OUTAGE_MS = 60_000;
const KILL_AFTER_MS = 20_000;
const LOAD_AFTER_MS = 3_000;
const DRAIN_MS = 90_000;

/** The window in which a batch may be sent twice: its answer was lost when the Collector ended. */
const ONE_BATCH = 512;

let stack: Stack;
let slow: SteadyLoad;
let fast: SteadyLoad;
let killed: SteadyLoad;
let heir: SteadyLoad;
let measured: Telemetry;
let onDisk: ReadonlyMap<string, number>;
const exitCodes: (number | null)[] = [];

beforeAll(async () => {
  stack = await Stack.start();
  measured = ownTelemetry('measured', join(stack.folder, 'measured'), stack.otlp, {
    writeWarning: () => undefined,
  });
  slow = new SteadyLoad('steady-100', 100, stack);
  fast = new SteadyLoad('steady-500', 500, stack);
  killed = new SteadyLoad('killed', 100, stack);
  await Promise.all([slow, fast, killed].map((load) => load.started()));

  await stack.stopCollector();
  const over = delay(OUTAGE_MS);
  await delay(KILL_AFTER_MS);
  await killed.kill();
  onDisk = journalTraces(killed.home);
  heir = new SteadyLoad('killed', 100, stack);
  await Promise.all([over, heir.started()]);

  await stack.startCollector();
  await delay(LOAD_AFTER_MS);
  exitCodes.push(...(await Promise.all([slow, fast, heir].map((load) => load.end()))));
}, 240_000);

afterAll(async () => {
  await Promise.all([slow, fast, killed, heir].map((load) => load?.stop()));
  await measured?.shutdown();
  await stack?.stop();
});

/** The spans that a map of traces tells, all together. */
const total = (traces: ReadonlyMap<string, number>): number =>
  [...traces.values()].reduce((sum, spans) => sum + spans, 0);

describe('a minute without the Collector', () => {
  test.each([
    ['100', () => slow, 100],
    ['500', () => fast, 500],
  ])('at %s spans a second loses none and sends at most one batch twice', async (_, load, rate) => {
    const { traces } = load();
    expect(total(traces)).toBeGreaterThan((OUTAGE_MS / 1_000) * rate);
    const { spans, again } = await allStored(stack, traces, DRAIN_MS);
    expect(spans).toBe(total(traces));
    expect(again).toBeLessThanOrEqual(ONE_BATCH);
  });

  // What a service measures in the outage comes after it, and with the time at which it was measured.
  test.each(queriesShownBy('outage.test.ts'))(
    'is on the dashboard afterwards: $where',
    async ({ where, expr }) => {
      expect(complaint(where, await shownSamples(stack, expr, DRAIN_MS))).toBeUndefined();
    },
  );

  test('keeps no service from ending in order', () => {
    expect(exitCodes).toEqual([0, 0, 0]);
  });
});

describe('a service that is killed without the Collector', () => {
  test('has on disk what it made, but for the batch that it was filling', () => {
    const settled = [...killed.traces].slice(0, -1);
    expect(settled.length).toBeGreaterThan(KILL_AFTER_MS / 1_000 / 2);
    for (const [traceId, spans] of settled) expect(onDisk.get(traceId)).toBe(spans);
  });

  test('leaves it to the next process on its home, which sends all of it', async () => {
    const { spans, again } = await allStored(stack, onDisk, DRAIN_MS);
    expect(spans).toBe(total(onDisk));
    expect(again).toBeLessThanOrEqual(ONE_BATCH);
    expect((await allStored(stack, heir.traces, DRAIN_MS)).spans).toBe(total(heir.traces));
  });
});
