import type { IPolicy } from 'cockatiel';
import * as cockatiel from 'cockatiel';
import { describe, expect, test } from 'vitest';
import { breaker, bulkhead, createKeelson, fallback, rateLimit, retry, timeout } from '../../../src/index.ts';
import { deferred } from '../../support/deferred.ts';
import { failing } from '../../support/failing.ts';
import type { MemoryTelemetry } from '../../support/memory-telemetry.ts';
import { memoryTelemetry } from '../../support/memory-telemetry.ts';

type Policy = IPolicy<cockatiel.IDefaultPolicyContext, unknown>;

const { handleAll, wrap } = cockatiel;
const twice = cockatiel.retry(handleAll, { maxAttempts: 1, backoff: new cockatiel.ConstantBackoff(0) });

const theirBreaker = (): Policy =>
  cockatiel.circuitBreaker(handleAll, { halfOpenAfter: 1e6, breaker: new cockatiel.ConsecutiveBreaker(1) });
const ourBreaker = (): Policy => breaker({ failures: 1, openFor: '1h' });

/** Hangs until the test is over, or rejects with the reason of its signal. */
const hanging = (): Promise<void> => deferred<void>().promise;
const heeding = ({ signal }: { signal: AbortSignal }): Promise<void> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

/** The same scenario for a policy of cockatiel's and for Keelson's own. */
interface Twins {
  readonly what: string;
  readonly theirs: () => Policy;
  readonly ours: () => Policy;
  readonly fn: (context: { signal: AbortSignal }) => unknown;
  readonly calls?: number;
  /** What both report: calls by outcome, rejections by policy and reason, log records. */
  readonly reported: Record<string, unknown>;
}

const REFUSED = { rejected: 2, 'breaker/open': 2, 'log keelson.breaker.transition': 1 };

const TWINS: readonly Twins[] = [
  {
    what: 'a breaker',
    theirs: theirBreaker,
    ours: ourBreaker,
    fn: failing(99),
    calls: 3,
    reported: {
      failure: 1,
      ...REFUSED,
      'log keelson.call.failed': 1,
      'attempts failure': 1,
      'state open': 1,
    },
  },
  {
    what: 'a breaker within a retry, which meets each refusal again',
    theirs: () => wrap(twice, theirBreaker()),
    ours: () => wrap(twice, ourBreaker()),
    fn: failing(99),
    calls: 2,
    reported: {
      failure: 1,
      rejected: 1,
      'breaker/open': 3,
      'log keelson.breaker.transition': 1,
      'log keelson.call.failed': 1,
      'attempts failure': 1,
      'state open': 1,
    },
  },
  {
    what: 'a breaker within a fallback, which hides the refusals',
    theirs: () => wrap(cockatiel.fallback(handleAll, 'instead'), theirBreaker()),
    ours: () => wrap(fallback({ value: 'instead' }), ourBreaker()),
    fn: failing(99),
    calls: 3,
    reported: {
      success: 3,
      'breaker/open': 2,
      'log keelson.breaker.transition': 1,
      'attempts failure': 1,
      'state open': 1,
    },
  },
  {
    what: 'a timeout of a function that hangs',
    theirs: () => cockatiel.timeout(5, cockatiel.TimeoutStrategy.Aggressive),
    ours: () => timeout(5),
    fn: hanging,
    reported: { timeout: 1, 'attempts timeout': 1, 'log keelson.call.failed': 1 },
  },
  {
    what: 'a timeout within a retry',
    theirs: () => wrap(twice, cockatiel.timeout(5, cockatiel.TimeoutStrategy.Aggressive)),
    ours: () => wrap(retry({ retries: 1, delay: 1 }), timeout(5)),
    fn: hanging,
    reported: { timeout: 1, 'attempts timeout': 2, 'log keelson.call.failed': 1 },
  },
  {
    what: 'a bulkhead that is full',
    theirs: () => cockatiel.bulkhead(1, 0),
    ours: () => bulkhead({ concurrent: 1, queue: 0 }),
    fn: hanging,
    calls: 3,
    reported: { rejected: 2, 'bulkhead/full': 2 },
  },
  {
    what: 'a retry',
    theirs: () => twice,
    ours: () => retry({ retries: 1, delay: 1 }),
    fn: failing(99),
    reported: { failure: 1, 'attempts failure': 2, 'log keelson.call.failed': 1 },
  },
];

async function reportOf(telemetry: MemoryTelemetry): Promise<Record<string, unknown>> {
  const report: Record<string, unknown> = {};
  const counted = async (
    metric: string,
    name: (attributes: Record<string, unknown>) => string,
  ): Promise<void> => {
    for (const { attributes, value } of await telemetry.points(metric))
      if (value) report[name(attributes)] = value;
  };
  await counted('keelson.calls', (attributes) => String(attributes['keelson.outcome']));
  await counted('keelson.attempts', (attributes) => `attempts ${String(attributes['keelson.outcome'])}`);
  await counted(
    'keelson.rejections',
    (attributes) => `${String(attributes['keelson.policy.name'])}/${String(attributes['keelson.reason'])}`,
  );
  await counted(
    'keelson.breaker.state',
    (attributes) => `state ${String(attributes['keelson.breaker.state'])}`,
  );
  for (const { eventName } of telemetry.logRecords())
    report[`log ${eventName}`] = Number(report[`log ${eventName}`] ?? 0) + 1;
  return report;
}

describe.each(TWINS)('observing $what', ({ theirs, ours, fn, calls = 1, reported }) => {
  test.each([
    ['of cockatiel', theirs],
    ['of Keelson', ours],
  ] as const)('%s reports what happened', async (_whose, make) => {
    const telemetry = memoryTelemetry();
    const keelson = createKeelson(telemetry);
    const policy = keelson.observe(make(), { name: 'payments' });
    const running: Promise<unknown>[] = [];
    for (let call = 0; call < calls; call += 1) {
      const run = policy.execute(fn).catch(() => {});
      if (fn !== hanging || calls === 1) await run;
      running.push(run);
    }
    if (fn === hanging && calls > 1) await Promise.race(running.slice(1));
    await expect.poll(() => reportOf(telemetry)).toEqual(reported);
  });
});

describe('observing policies of Keelson', () => {
  test('counts the refusals of a rate limit', async () => {
    const telemetry = memoryTelemetry();
    const keelson = createKeelson(telemetry);
    const policy = keelson.observe(rateLimit({ limit: 1, per: '1h' }), { name: 'quota' });
    expect(await telemetry.value('keelson.rejections', { 'keelson.reason': 'rate_limited' })).toBe(0);
    await policy.execute(() => 1);
    await expect(policy.execute(() => 1)).rejects.toMatchObject({ code: 'ERR_KEELSON_RATE_LIMITED' });
    expect(await reportOf(telemetry)).toEqual({
      success: 1,
      rejected: 1,
      'rate_limit/rate_limited': 1,
      'attempts success': 1,
    });
  });

  test('takes a function that heeds the signal of a timeout as timed out', async () => {
    const telemetry = memoryTelemetry();
    const keelson = createKeelson(telemetry);
    await expect(keelson.observe(timeout(5), { name: 'slow' }).execute(heeding)).rejects.toThrow(
      'within 5 ms',
    );
    expect(await reportOf(telemetry)).toEqual({
      timeout: 1,
      'attempts timeout': 1,
      'log keelson.call.failed': 1,
    });
  });

  test('takes the refusal and the timeout of a guard within the function as failures of the function', async () => {
    const telemetry = memoryTelemetry();
    const keelson = createKeelson(telemetry);
    const inner = createKeelson().guard('inner', { timeout: { attempt: 5 }, breaker: { failures: 1 } });
    const policy = keelson.observe(wrap(timeout('10s'), ourBreaker()), { name: 'outer' });
    await expect(policy.execute(() => inner.run('x', hanging))).rejects.toThrow('within 5 ms');
    const alone = keelson.observe(timeout('10s'), { name: 'outer' });
    await expect(alone.execute(() => inner.run('x', hanging))).rejects.toMatchObject({ reason: 'open' });
    expect(await reportOf(telemetry)).toMatchObject({ failure: 2, 'attempts failure': 2 });
  });

  test('gives a fallback of its own the origin `fallback`, and its errors to listeners', async () => {
    const telemetry = memoryTelemetry();
    const used: unknown[] = [];
    const error = new Error('down');
    const policy = fallback({ value: 'instead' });
    policy.onFallback((event) => used.push(event.error));
    const observed = createKeelson(telemetry).observe(policy, { name: 'f' });
    expect(await observed.execute(failing(1, error))).toBe('instead');
    expect(used).toEqual([error]);
    expect(await telemetry.value('keelson.calls', { 'keelson.origin': 'fallback' })).toBe(1);
  });
});
