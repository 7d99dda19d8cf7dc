import { RateLimiterMemory } from 'rate-limiter-flexible';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { RejectedError } from '../../../../src/core/errors.ts';
import { OptionChecker } from '../../../../src/core/options.ts';
import type { RateLimitOptions, RateWaiter } from '../../../../src/policies/rate-limit/index.ts';
import { resolveRateLimit } from '../../../../src/policies/rate-limit/options.ts';
import { RateLimiter } from '../../../../src/policies/rate-limit/rate-limiter.ts';
import { FakeClock } from '../../../../src/testing/index.ts';

function limiterOf(options: RateLimitOptions, clock = new FakeClock()): RateLimiter {
  const check = new OptionChecker('rateLimit');
  const resolved = resolveRateLimit({ algorithm: 'bucket', ...options }, check);
  check.done();
  return new RateLimiter(resolved, clock, { guard: 'drive' });
}

/** How many tokens there are at once. */
function drain(limiter: RateLimiter, now: number): number {
  let taken = 0;
  while (limiter.tryAcquire(now) === 0) taken += 1;
  return taken;
}

function waiterOf(entry: RateWaiter | RejectedError | undefined): RateWaiter {
  if (entry === undefined || entry instanceof RejectedError) throw new Error('The call does not wait.');
  return entry;
}

describe('a limit of 10 per second', () => {
  test('gives 10 at once, then one every 100 ms', () => {
    const limiter = limiterOf({ limit: 10, per: '1s' });
    expect(drain(limiter, 0)).toBe(10);
    expect(limiter.tryAcquire(0)).toBe(100);
    expect(limiter.tryAcquire(99)).toBe(1);
    expect(limiter.tryAcquire(100)).toBe(0);
    expect(drain(limiter, 350)).toBe(2);
  });

  test('gives 11 around the boundary at which a fixed window gives 19', () => {
    const limiter = limiterOf({ limit: 10, per: '1s' });
    expect(limiter.tryAcquire(0)).toBe(0);
    const before = Array.from({ length: 9 }, () => limiter.tryAcquire(950)).filter((wait) => wait === 0);
    const after = Array.from({ length: 20 }, () => limiter.tryAcquire(1_030)).filter((wait) => wait === 0);
    expect([before.length, after.length]).toEqual([9, 1]);
  });

  test('is one at which rate-limiter-flexible lets 19 through, whose window begins with the first call', async () => {
    vi.useFakeTimers({ now: 0 });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const theirs = new RateLimiterMemory({ points: 10, duration: 1 });
    const taken = async (calls: number): Promise<number> => {
      const ends = await Promise.allSettled(Array.from({ length: calls }, () => theirs.consume('k')));
      return ends.filter(({ status }) => status === 'fulfilled').length;
    };
    expect(await taken(1)).toBe(1);
    vi.advanceTimersByTime(950);
    const before = await taken(9);
    vi.advanceTimersByTime(80);
    expect(before + (await taken(20))).toBe(19);
  });

  test('gives no more than its burst at once, however long it rested', () => {
    const limiter = limiterOf({ limit: 10, per: '1s', burst: 3 });
    expect(drain(limiter, 0)).toBe(3);
    expect(drain(limiter, 86_400_000)).toBe(3);
  });

  test('says how many tokens there are', () => {
    const clock = new FakeClock();
    const limiter = limiterOf({ limit: 10, per: '1s' }, clock);
    expect([limiter.limit, limiter.available]).toEqual([10, 10]);
    limiter.tryAcquire(0);
    expect(limiter.available).toBe(9);
    clock.block(99);
    expect(limiter.available).toBe(9);
    clock.block(1);
    expect(limiter.available).toBe(10);
  });

  test('takes a token back that was not used', () => {
    const limiter = limiterOf({ limit: 10, per: '1s' });
    drain(limiter, 0);
    limiter.giveBack(0);
    expect(drain(limiter, 0)).toBe(1);
  });
});

test('a rate without a round interval is kept to the token after a year', () => {
  const limiter = limiterOf({ limit: 7, per: '1s', burst: 1 });
  let now = 31_536_000_000;
  for (let i = 0; i < 7_000; i += 1) {
    expect(limiter.tryAcquire(now)).toBe(0);
    now += limiter.tryAcquire(now);
  }
  expect(now - 31_536_000_000).toBeCloseTo(1_000_000, 1);
});

describe('a clock that misbehaves', () => {
  test('an hour back costs one interval, and gives no second burst', () => {
    const limiter = limiterOf({ limit: 10, per: '1s' });
    expect(drain(limiter, 3_600_000)).toBe(10);
    expect(limiter.tryAcquire(0)).toBe(100);
    expect(limiter.tryAcquire(100)).toBe(0);
    expect(limiter.tryAcquire(100)).toBe(100);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'at %s there is no token, and nothing is spoilt',
    (now) => {
      const limiter = limiterOf({ limit: 10, per: '1s', maxWait: '1s' });
      expect(limiter.tryAcquire(now)).toBe(100);
      expect(limiter.enter(now)).toMatchObject({ code: 'ERR_KEELSON_RATE_LIMITED', retryAfterMs: 100 });
      expect(drain(limiter, 0)).toBe(10);
    },
  );

  test('a pause of no length, or of none that makes sense, does nothing', () => {
    const limiter = limiterOf({ limit: 10, per: '1s' });
    for (const pause of [0, -1, Number.NaN, Number.NEGATIVE_INFINITY]) limiter.slowDown(pause);
    expect(drain(limiter, 0)).toBe(10);
  });

  test('an endless pause ends after a minute', () => {
    const limiter = limiterOf({ limit: 10, per: '1s' });
    limiter.slowDown(Number.POSITIVE_INFINITY);
    expect(limiter.tryAcquire(0)).toBe(60_000);
    expect(drain(limiter, 60_000)).toBe(1);
  });
});

describe('a call without a token', () => {
  test('is refused at once, with the time of the next', () => {
    const limiter = limiterOf({ limit: 60, per: '1m', burst: 1 });
    expect(limiter.enter(0)).toBeUndefined();
    const error = limiter.enter(250);
    expect(error).toBeInstanceOf(RejectedError);
    expect(error).toMatchObject({
      code: 'ERR_KEELSON_RATE_LIMITED',
      reason: 'rate_limited',
      retryAfterMs: 750,
      source: { guard: 'drive', policy: 'rate_limit' },
      message: 'Guard "drive": the limit of 60 per 1m is used up; the next turn is in 750ms.',
      hint: 'Spread the calls, let them wait with `rateLimit.maxWait`, or raise `rateLimit.limit` if the dependency allows more.',
    });
  });

  test('is refused where it would have to wait longer than it may', () => {
    const limiter = limiterOf({ limit: 10, per: '1s', burst: 1, maxWait: '200ms' });
    expect(limiter.enter(0)).toBeUndefined();
    expect(limiter.enter(0)).not.toBeInstanceOf(RejectedError);
    expect(limiter.enter(0)).not.toBeInstanceOf(RejectedError);
    expect(limiter.enter(0)).toMatchObject({ retryAfterMs: 300 });
    expect(limiter.queued).toBe(2);
  });

  test('is refused where every place is taken', () => {
    const limiter = limiterOf({ limit: 10, per: '1s', burst: 1, maxWait: '10s', queue: 1 });
    limiter.enter(0);
    limiter.enter(0);
    expect(limiter.enter(0)).toMatchObject({
      code: 'ERR_KEELSON_RATE_LIMITED',
      message: 'Guard "drive": the limit of 10 per 1s is used up, and all 1 places in the line are taken.',
    });
  });
});

describe('calls that wait', () => {
  test('go in the order in which they came, on one timer, and nobody overtakes them', async () => {
    const clock = new FakeClock();
    const limiter = limiterOf({ limit: 10, per: '1s', burst: 1, maxWait: '1s' }, clock);
    limiter.enter(0);
    const turns: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      void waiterOf(limiter.enter(0)).granted.then(() => turns.push(`${name}@${clock.now()}`));
    }
    expect(clock.timers).toEqual({ running: 1, refed: 1 });
    await clock.advance(100);
    expect([limiter.queued, limiter.available, limiter.tryAcquire(100)]).toEqual([2, 0, 300]);
    await clock.advance(900);
    expect(turns).toEqual(['a@100', 'b@200', 'c@300']);
    expect(clock.timers.running).toBe(0);
  });

  test('leave the line when they are interrupted, and the next one moves up', async () => {
    const clock = new FakeClock();
    const limiter = limiterOf({ limit: 10, per: '1s', burst: 1, maxWait: '1s' }, clock);
    limiter.enter(0);
    const [first, second] = [waiterOf(limiter.enter(0)), waiterOf(limiter.enter(0))];
    const left = expect(first.granted).rejects.toBe('gone');
    first.interrupt('gone');
    first.interrupt('gone twice');
    await left;
    const turns: number[] = [];
    void second.granted.then(() => turns.push(clock.now()));
    await clock.advance(1_000);
    expect(turns).toEqual([100]);
  });

  test('stop the timer when the last one leaves', async () => {
    const clock = new FakeClock();
    const limiter = limiterOf({ limit: 1, per: '1s', maxWait: '5s' }, clock);
    limiter.enter(0);
    const waiter = waiterOf(limiter.enter(0));
    const left = expect(waiter.granted).rejects.toBe('gone');
    waiter.interrupt('gone');
    await left;
    expect([limiter.queued, clock.timers.running]).toEqual([0, 0]);
  });

  test('get all tokens that came while the event loop was blocked', async () => {
    const clock = new FakeClock();
    const limiter = limiterOf({ limit: 10, per: '1s', burst: 3, maxWait: '2s' }, clock);
    drain(limiter, 0);
    const turns: number[] = [];
    for (let i = 0; i < 5; i += 1)
      void waiterOf(limiter.enter(0)).granted.then(() => turns.push(clock.now()));
    clock.block(1_000);
    await clock.advance(0);
    expect(turns).toEqual([1_000, 1_000, 1_000]);
    await clock.advance(1_000);
    expect(turns).toEqual([1_000, 1_000, 1_000, 1_100, 1_200]);
  });

  test('get the token that another gives back', async () => {
    const clock = new FakeClock();
    const limiter = limiterOf({ limit: 1, per: '1m', maxWait: '5m' }, clock);
    limiter.enter(0);
    const waiter = waiterOf(limiter.enter(0));
    limiter.giveBack(0);
    await expect(waiter.granted).resolves.toBeUndefined();
    expect(limiter.queued).toBe(0);
  });
});

describe('a server that asks to slow down', () => {
  test('gets no call before the time, then one, then the usual rate', () => {
    const limiter = limiterOf({ limit: 10, per: '1s' });
    limiter.slowDown(5_000);
    limiter.slowDown(1_000);
    expect(limiter.available).toBe(0);
    expect(limiter.tryAcquire(4_999)).toBe(1);
    expect(drain(limiter, 5_000)).toBe(1);
    expect(drain(limiter, 5_100)).toBe(1);
    expect(drain(limiter, 10_000)).toBe(10);
  });

  test('lets those in the line wait on, and sends away those who cannot', async () => {
    const clock = new FakeClock();
    const limiter = limiterOf({ limit: 10, per: '1s', burst: 1, maxWait: '1s' }, clock);
    limiter.enter(0);
    const [first, second] = [waiterOf(limiter.enter(0)), waiterOf(limiter.enter(0))];
    const turns: number[] = [];
    void first.granted.then(() => turns.push(clock.now()));
    const refused = expect(second.granted).rejects.toMatchObject({
      code: 'ERR_KEELSON_RATE_LIMITED',
      retryAfterMs: 1_050,
    });
    limiter.slowDown(950);
    await refused;
    expect(limiter.queued).toBe(1);
    await clock.advance(2_000);
    expect(turns).toEqual([950]);
  });
});
