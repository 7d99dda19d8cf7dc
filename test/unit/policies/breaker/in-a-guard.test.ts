import { describe, expect, test } from 'vitest';
import type { Guard } from '../../../../src/guard/index.ts';
import { createKeelson } from '../../../../src/guard/index.ts';
import type { BreakerOptions } from '../../../../src/index.ts';
import { FakeClock, seededRandom } from '../../../../src/testing/index.ts';
import { deferred } from '../../../support/deferred.ts';
import { failing } from '../../../support/failing.ts';

function setUp(breaker: BreakerOptions, random = seededRandom(1)): { guard: Guard; clock: FakeClock } {
  const clock = new FakeClock();
  return { clock, guard: createKeelson({ clock, random }).guard('payments', { breaker }) };
}

async function calls(guard: Guard, results: string): Promise<void> {
  for (const result of results) await guard.outcome('charge', failing(result === 'F' ? 1 : 0));
}

describe('a breaker with a failure rate', () => {
  test('opens at the rate once there are enough calls, and not before', async () => {
    const { guard } = setUp({ failureRate: 0.5, window: 10, minimumCalls: 4 });
    await calls(guard, 'FFF');
    expect(guard.breaker?.state).toBe('closed');
    await calls(guard, 'S');
    expect(guard.breaker?.state).toBe('open');
  });

  test('forgets the oldest call of a count window', async () => {
    const { guard } = setUp({ failureRate: 0.75, window: 4, minimumCalls: 4 });
    await calls(guard, 'FFSSSSFF');
    expect(guard.breaker?.state).toBe('closed');
    await calls(guard, 'F');
    expect(guard.breaker?.state).toBe('open');
  });

  test('forgets a time window however long nothing was called', async () => {
    const { guard, clock } = setUp({ failureRate: 0.5, window: '10s', minimumCalls: 4 });
    await calls(guard, 'FFF');
    await clock.advance(3_600_000);
    await calls(guard, 'FFF');
    expect(guard.breaker?.state).toBe('closed');
    await calls(guard, 'F');
    expect(guard.breaker?.state).toBe('open');
  });

  test('counts with the calls of the last window only', async () => {
    const { guard, clock } = setUp({ failureRate: 0.5, window: '10s', minimumCalls: 4 });
    await calls(guard, 'FFF');
    await clock.advance(9_000);
    await calls(guard, 'S');
    expect(guard.breaker?.state).toBe('open');
  });
});

describe('a breaker that minds slow calls', () => {
  const slow = { slowCallRate: 0.5, slowCall: '1s', window: 4, minimumCalls: 2 } as const;

  test('counts them while they still run', async () => {
    const { guard, clock } = setUp(slow);
    const gates = [deferred<string>(), deferred<string>()];
    const runs = gates.map((gate) => guard.outcome('charge', () => gate.promise));
    await clock.advance(999);
    expect(guard.breaker?.state).toBe('closed');
    await clock.advance(1);
    expect(guard.breaker?.state).toBe('open');
    for (const gate of gates) gate.resolve('late');
    expect((await Promise.all(runs)).map(({ outcome }) => outcome)).toEqual(['success', 'success']);
  });

  test('counts each of them once, and its failure too', async () => {
    const { guard, clock } = setUp({ ...slow, slowCallRate: 1, failureRate: 0.5, minimumCalls: 2 });
    await calls(guard, 'S');
    const gate = deferred<string>();
    const run = guard.outcome('charge', () => gate.promise);
    await clock.advance(1_000);
    expect(guard.breaker?.state).toBe('closed');
    gate.reject(new Error('late and bad'));
    await run;
    expect(guard.breaker?.state).toBe('open');
  });

  test('takes a slow trial as a failed one', async () => {
    const { guard, clock } = setUp({ ...slow, failureRate: 0.5, openFor: '10s', successes: 1 });
    await calls(guard, 'FF');
    await clock.advance(10_000);
    const gate = deferred<string>();
    const trial = guard.outcome('charge', () => gate.promise);
    await clock.advance(1_000);
    gate.resolve('late');
    await trial;
    expect(guard.breaker?.state).toBe('open');
  });
});

describe('the open time of a breaker', () => {
  test('grows each time that the trials fail, up to its cap, and starts anew after a close', async () => {
    const { guard, clock } = setUp({
      failures: 1,
      successes: 1,
      openFor: '10s',
      openFactor: 2,
      maxOpenFor: '30s',
    });
    const times: (number | undefined)[] = [];
    for (let i = 0; i < 4; i += 1) {
      await calls(guard, 'F');
      times.push(guard.breaker?.retryAfterMs);
      await clock.advance(guard.breaker?.retryAfterMs ?? 0);
    }
    expect(times).toEqual([10_000, 20_000, 30_000, 30_000]);
    await calls(guard, 'SF');
    expect(guard.breaker?.retryAfterMs).toBe(10_000);
  });

  test('is spread by chance where that is asked for', async () => {
    const { guard } = setUp({ failures: 1, openFor: '10s', openJitter: 0.5 }, () => 0.75);
    await calls(guard, 'F');
    expect(guard.breaker?.retryAfterMs).toBe(12_500);
  });
});

describe('a half-open breaker that lets calls wait', () => {
  const options = { failures: 1, successes: 1, openFor: '10s', halfOpenWait: '1s' } as const;

  async function halfOpen(): Promise<{
    guard: Guard;
    clock: FakeClock;
    trial: ReturnType<typeof deferred<string>>;
  }> {
    const { guard, clock } = setUp(options);
    await calls(guard, 'F');
    await clock.advance(10_000);
    const trial = deferred<string>();
    void guard.outcome('charge', () => trial.promise);
    return { guard, clock, trial };
  }

  test('lets them through when the trial succeeds', async () => {
    const { guard, clock, trial } = await halfOpen();
    const waiting = guard.outcome('charge', failing(0));
    await clock.advance(500);
    trial.resolve('ok');
    expect(await waiting).toMatchObject({ outcome: 'success', durationMs: 500 });
  });

  test('refuses them when it fails, and when it takes too long', async () => {
    const { guard, clock, trial } = await halfOpen();
    const tooLong = guard.outcome('charge', failing(0));
    await clock.advance(1_000);
    expect(await tooLong).toMatchObject({ outcome: 'rejected', error: { reason: 'half_open' } });
    const waiting = guard.outcome('charge', failing(0));
    trial.reject(new Error('still down'));
    expect(await waiting).toMatchObject({ outcome: 'rejected', error: { reason: 'open' } });
  });

  test('lets them go when their caller aborts', async () => {
    const { guard } = await halfOpen();
    const controller = new AbortController();
    const waiting = guard.outcome('charge', failing(0), { signal: controller.signal });
    controller.abort('left');
    expect(await waiting).toMatchObject({ outcome: 'cancelled', error: 'left', attempts: 0 });
  });
});

test('a breaker with a ramp lets through a share that grows with time', async () => {
  const { guard, clock } = setUp({ failures: 1, successes: 1, openFor: '10s', ramp: '10s' });
  await calls(guard, 'F');
  await clock.advance(10_000);
  await calls(guard, 'S');
  expect(guard.breaker?.state).toBe('closed');
  const shares: number[] = [];
  for (let second = 0; second < 11; second += 1) {
    const before = guard.snapshot().calls.success;
    await calls(guard, 'S'.repeat(200));
    shares.push((guard.snapshot().calls.success - before) / 200);
    await clock.advance(1_000);
  }
  expect(shares[0]).toBeLessThan(0.1);
  expect(shares[5]).toBeGreaterThan(0.35);
  expect(shares[5]).toBeLessThan(0.65);
  expect(shares[10]).toBe(1);
});

test('a breaker in shadow mode counts and reports, and refuses nothing', async () => {
  const { guard, clock } = setUp({ failures: 2, successes: 1, openFor: '10s', mode: 'shadow' });
  await calls(guard, 'FF');
  expect(guard.breaker?.state).toBe('open');
  await calls(guard, 'SSF');
  expect(guard.snapshot()).toMatchObject({
    calls: { success: 2, failure: 3, rejected: 0 },
    rejections: { 'breaker/open': 0 },
  });
  expect(guard.snapshot().breaker).toMatchObject({ state: 'open', shadowRejections: 3 });
  await clock.advance(10_000);
  await calls(guard, 'S');
  expect(guard.breaker?.state).toBe('closed');
});

describe('the saved state of a breaker', () => {
  const options = { failures: 3, openFor: '10s', openFactor: 2 } as const;

  test('takes a restart: what was open stays open for the rest of its time', async () => {
    const before = setUp(options);
    await calls(before.guard, 'FFF');
    await before.clock.advance(4_000);
    const saved: unknown = JSON.parse(JSON.stringify(before.guard.breaker));
    const after = setUp(options);
    await after.clock.advance(before.clock.epoch() - after.clock.epoch());
    after.guard.breaker?.restore(saved);
    expect(after.guard.breaker).toMatchObject({ state: 'open', retryAfterMs: 6_000 });
    await after.clock.advance(6_000);
    await calls(after.guard, 'F');
    expect(after.guard.breaker?.retryAfterMs).toBe(20_000);
  });

  test('keeps the count of a closed circuit, and the hand that held it open', async () => {
    const before = setUp(options);
    await calls(before.guard, 'FF');
    const after = setUp(options);
    after.guard.breaker?.restore(before.guard.breaker?.toJSON());
    await calls(after.guard, 'F');
    expect(after.guard.breaker?.state).toBe('open');
    before.guard.breaker?.forceOpen();
    after.guard.breaker?.restore(before.guard.breaker?.toJSON());
    expect(after.guard.breaker?.state).toBe('forced_open');
    after.guard.breaker?.reset();
    expect(after.guard.breaker?.state).toBe('closed');
  });

  test('lets a circuit that was half-open try at once', async () => {
    const before = setUp(options);
    await calls(before.guard, 'FFF');
    await before.clock.advance(10_000);
    await calls(before.guard, 'S');
    expect(before.guard.breaker?.toJSON()).toMatchObject({ state: 'half_open' });
    const after = setUp(options);
    after.guard.breaker?.restore(before.guard.breaker?.toJSON());
    await calls(after.guard, 'SSS');
    expect(after.guard.breaker?.state).toBe('closed');
  });

  test('keeps the window of a rate by calls', async () => {
    const rate = { failureRate: 0.5, window: 4, minimumCalls: 4 };
    const before = setUp(rate);
    await calls(before.guard, 'SSFSF'.slice(0, 4));
    const after = setUp(rate);
    after.guard.breaker?.restore(JSON.parse(JSON.stringify(before.guard.breaker)));
    await calls(after.guard, 'F');
    expect(after.guard.breaker?.state).toBe('open');
  });

  test.each([
    [null, 'an object'],
    [{ version: 2 }, 'version 1, got 2'],
    [{ version: 1, state: 'ajar' }, 'a state of closed, open'],
    [{ version: 1, state: 'open', openings: -1 }, 'a whole number of openings'],
    [{ version: 1, state: 'open', openings: 1, openUntil: 'soon' }, 'a time or null as openUntil'],
  ])('is refused where it is something else: %j', (saved, message) => {
    expect(() => setUp(options).guard.breaker?.restore(saved)).toThrow(message);
  });

  test('does not stay open for longer than the cap, whatever the clock of the other machine said', () => {
    const { guard, clock } = setUp({ ...options, maxOpenFor: '1m' });
    const openUntil = clock.epoch() + 86_400_000;
    guard.breaker?.restore({ version: 1, state: 'open', openings: 1, openUntil, rule: null });
    expect(guard.breaker?.retryAfterMs).toBe(60_000);
  });
});
