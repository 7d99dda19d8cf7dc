// Measures how long a fault takes to its notification: `npm run stack:fault`. See CONTRIBUTING.md.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/testing/index.ts';
import { type FaultRun, runFault } from './support/fault-run.ts';
import { ShopService } from './support/shop-service.ts';
import { Stack } from './support/stack.ts';
import { shippedBoundMs, shippedWaits, shownWaits } from './support/timings.ts';

const HELP = `Breaks a guarded dependency again and again, in the real Collector, Prometheus and Alertmanager with the shipped files and short waits,
and measures the time until a webhook is told.

Usage: npm run stack:fault -- [--runs 10] [--json]

  --runs N   how often: 1 to 100 (10)
  --json     one JSON document on standard output, and nothing else there
  --help     this text

Exit codes: 0 the median is within the goal, 1 it is not or a notification did not come, 2 wrong use.
`;
const GOAL_MS = 5_000;
const MAX_RUNS = 100;
/** The longest wait between two runs: an evaluation and a group's interval of the overlay, so that runs begin anywhere between two. */
const SPREAD_MS = 2_000;

interface Use {
  readonly runs: number;
  readonly json: boolean;
  readonly help: boolean;
}

function use(): Use {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '10' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isSafeInteger(runs) || runs < 1 || runs > MAX_RUNS) {
    throw new Error(
      `Expected --runs to be a whole number from 1 to ${MAX_RUNS}, got \`${values.runs}\`. Try --runs 10.`,
    );
  }
  return { runs, json: values.json, help: values.help };
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const [low = Number.NaN, high = low] = sorted.slice(
    Math.ceil(sorted.length / 2) - 1,
    Math.floor(sorted.length / 2) + 1,
  );
  return (low + high) / 2;
};
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;

/** What was measured of one run, in milliseconds. */
function measured({ failingAt, openedAt, firing, closedAt, resolved }: FaultRun) {
  return {
    faultToOpenMs: openedAt - failingAt,
    faultToNotificationMs: firing.at - failingAt,
    openToNotificationMs: firing.at - openedAt,
    recoveryToResolutionMs: resolved.at - closedAt,
  };
}

type Measured = ReturnType<typeof measured>;

async function runs(count: number): Promise<readonly Measured[]> {
  const random = seededRandom(count);
  const stack = await Stack.start();
  const shop = new ShopService('shop', stack);
  try {
    shop.startLoad();
    const all: Measured[] = [];
    for (let run = 1; run <= count; run += 1) {
      await delay(random() * SPREAD_MS);
      const figures = measured(await runFault(stack, shop));
      all.push(figures);
      process.stderr.write(`run ${run} of ${count}: ${seconds(figures.faultToNotificationMs)}\n`);
    }
    return all;
  } finally {
    await shop.stop();
    await stack.stop();
  }
}

function table(all: readonly Measured[]): string {
  const row = (title: string, key: keyof Measured): string => {
    const values = all.map((each) => each[key]);
    return `${title.padEnd(36)} ${seconds(median(values)).padStart(8)} ${seconds(Math.max(...values)).padStart(8)}`;
  };
  return [
    `${`${all.length} runs`.padEnd(36)} ${'median'.padStart(8)} ${'maximum'.padStart(8)}`,
    row('fault to notification', 'faultToNotificationMs'),
    row('  fault to open breaker', 'faultToOpenMs'),
    row('  open breaker to notification', 'openToNotificationMs'),
    row('closed breaker to resolution', 'recoveryToResolutionMs'),
    `goal for the median of fault to notification: ${seconds(GOAL_MS)}`,
    `as shipped, open breaker to notification: at most ${seconds(shippedBoundMs())}`,
    ...shownWaits(),
  ].join('\n');
}

async function main(): Promise<number> {
  let wanted: Use;
  try {
    wanted = use();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return 2;
  }
  if (wanted.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const all = await runs(wanted.runs);
  const notified = all.map(({ faultToNotificationMs }) => faultToNotificationMs);
  const medianMs = median(notified);
  const summary = { goalMs: GOAL_MS, medianMs, maximumMs: Math.max(...notified) };
  const shipped = { boundMs: shippedBoundMs(), waits: shippedWaits() };
  process.stdout.write(
    wanted.json ? `${JSON.stringify({ ...summary, runs: all, shipped })}\n` : `${table(all)}\n`,
  );
  return medianMs <= GOAL_MS ? 0 : 1;
}

process.exitCode = await main();
