import { describe, expect, test } from 'vitest';
import { RejectedError } from '../../../src/core/errors.ts';
import { OptionChecker } from '../../../src/core/options.ts';
import type { RateLimitOptions, RateWaiter } from '../../../src/policies/rate-limit/index.ts';
import { KeyedRateLimiter, resolveRateLimit } from '../../../src/policies/rate-limit/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';

function limiterOf(options: RateLimitOptions, clock = new FakeClock()): KeyedRateLimiter {
  return new KeyedRateLimiter(resolveRateLimit(options, new OptionChecker('rateLimit')), clock);
}

function drain(limiter: KeyedRateLimiter, key: string, now: number): number {
  let taken = 0;
  while (limiter.tryAcquire(key, now) === 0) taken += 1;
  return taken;
}

function waiterOf(entry: RateWaiter | RejectedError | undefined): RateWaiter {
  if (entry === undefined || entry instanceof RejectedError) throw new Error('The call does not wait.');
  return entry;
}

describe('a limit for each key', () => {
  test('is one for each of them', () => {
    const limiter = limiterOf({ limit: 10, per: '1s' });
    expect([drain(limiter, 'a', 0), drain(limiter, 'b', 0)]).toEqual([10, 10]);
    expect(limiter.tryAcquire('a', 0)).toBe(100);
    expect([limiter.available('a'), limiter.available('c'), limiter.size]).toEqual([0, 10, 2]);
    limiter.giveBack('a');
    limiter.giveBack('never seen');
    expect([limiter.available('a'), limiter.size]).toEqual([1, 2]);
  });

  test('remembers so many keys, and forgets the one that rested longest', () => {
    const clock = new FakeClock();
    const limiter = limiterOf({ limit: 1, per: '1m', keys: 2 }, clock);
    limiter.tryAcquire('a', 0);
    clock.block(60_000);
    limiter.tryAcquire('b', 60_000);
    clock.block(60_000);
    limiter.tryAcquire('a', 120_000);
    limiter.tryAcquire('c', 120_000);
    expect([limiter.size, limiter.available('a'), limiter.available('c')]).toEqual([2, 0, 0]);
    expect(limiter.available('b')).toBe(1);
    expect(limiter.available('never seen')).toBe(1);
  });

  test('gives a key that it had to forget no second burst', () => {
    const limiter = limiterOf({ limit: 5, per: '1s', keys: 1 });
    expect(drain(limiter, 'a', 0)).toBe(5);
    limiter.slowDown('b', 1);
    expect(drain(limiter, 'a', 0)).toBe(0);
    expect(drain(limiter, 'a', 1_000)).toBe(5);
  });

  test('does not make other keys wait for a pause that it forgets', () => {
    const limiter = limiterOf({ limit: 10, per: '1s', keys: 1 });
    limiter.slowDown('a', 3_600_000);
    limiter.slowDown('b', 1);
    expect(limiter.tryAcquire('c', 0)).toBe(100);
  });

  test('an hour back costs a key one interval, known or not', () => {
    const limiter = limiterOf({ limit: 10, per: '1s', keys: 1 });
    drain(limiter, 'a', 3_600_000);
    expect(limiter.tryAcquire('a', 0)).toBe(100);
    expect(limiter.tryAcquire('a', 100)).toBe(0);
    expect(limiter.tryAcquire('b', 0)).toBe(0);
    expect(limiter.tryAcquire('c', Number.NaN)).toBe(100);
    expect(limiter.tryAcquire('c', -3_600_000)).toBe(100);
    expect(limiter.tryAcquire('c', -3_599_900)).toBe(0);
  });
});

describe('calls that wait for keys', () => {
  test('have a line for each key, and one timer for all', async () => {
    const clock = new FakeClock();
    const limiter = limiterOf({ limit: 10, per: '1s', burst: 1, maxWait: '1s', queue: 4 }, clock);
    const turns: string[] = [];
    for (const name of ['a1', 'a2', 'a3']) {
      const entry = limiter.enter('a', clock.now());
      if (entry) void waiterOf(entry).granted.then(() => turns.push(`${name}@${clock.now()}`));
    }
    await clock.advance(50);
    for (const name of ['b1', 'b2', 'b3']) {
      const entry = limiter.enter('b', clock.now());
      if (entry) void waiterOf(entry).granted.then(() => turns.push(`${name}@${clock.now()}`));
    }
    expect([limiter.queued, clock.timers.running, limiter.tryAcquire('b', 50)]).toEqual([4, 1, 300]);
    expect(limiter.enter('a', 50)).toMatchObject({ code: 'ERR_KEELSON_RATE_LIMITED' });
    expect(limiter.enter('c', 50)).toBeUndefined();
    await clock.advance(1_000);
    expect(turns).toEqual(['a2@100', 'b2@150', 'a3@200', 'b3@250']);
    expect([limiter.queued, clock.timers.running]).toEqual([0, 0]);
  });
});

describe('a line for a key', () => {
  /** A key with one call in its line, and the time at which its token came, which nobody has served yet. */
  function lined(): { limiter: KeyedRateLimiter; clock: FakeClock; turns: string[] } {
    const clock = new FakeClock();
    const limiter = limiterOf({ limit: 10, per: '1s', burst: 2, maxWait: '1s' }, clock);
    const turns: string[] = [];
    drain(limiter, 'a', 0);
    const first = waiterOf(limiter.enter('a', 0));
    first.granted.then(
      () => turns.push(`granted@${clock.now()}`),
      ({ retryAfterMs }: RejectedError) => turns.push(`refused, again in ${retryAfterMs}`),
    );
    return { limiter, clock, turns };
  }

  test('keeps the tokens that came for those who wait', async () => {
    const { limiter, clock, turns } = lined();
    clock.block(200);
    expect([limiter.available('a'), limiter.tryAcquire('a', 200)]).toEqual([0, 1]);
    const second = waiterOf(limiter.enter('a', 200));
    void second.granted.then(() => turns.push(`second@${clock.now()}`));
    await clock.advance(0);
    expect(turns).toEqual(['granted@200', 'second@200']);
  });

  test('moves up by a token that is given back', async () => {
    const { limiter, clock, turns } = lined();
    limiter.giveBack('a');
    await clock.advance(0);
    expect([turns, limiter.queued]).toEqual([['granted@0'], 0]);
  });

  test('loses those at once who cannot wait for the end of a pause', async () => {
    const { limiter, clock, turns } = lined();
    limiter.slowDown('a', 5_000);
    await clock.advance(0);
    expect([turns, limiter.queued]).toEqual([['refused, again in 5000'], 0]);
  });
});

describe('a pause of a key', () => {
  test('lasts, however often somebody asks meanwhile', () => {
    const limiter = limiterOf({ limit: 10, per: '1s' });
    limiter.slowDown('a', 10_000);
    limiter.slowDown('b', 100);
    expect([limiter.tryAcquire('a', 0), limiter.tryAcquire('a', 4_000)]).toEqual([10_000, 6_000]);
    expect([limiter.tryAcquire('a', 9_999), limiter.tryAcquire('a', 10_000)]).toEqual([1, 0]);
  });

  test.each([0, -1, Number.NaN])('of %d ms does nothing', (pauseMs) => {
    const limiter = limiterOf({ limit: 10, per: '1s' });
    limiter.slowDown('a', pauseMs);
    expect([limiter.size, limiter.available('a')]).toEqual([0, 10]);
  });
});

test('10,000 keys start no timer', () => {
  const clock = new FakeClock();
  const limiter = limiterOf({ limit: 1, per: '1s' }, clock);
  for (let i = 0; i < 20_000; i += 1) {
    clock.block(1);
    limiter.tryAcquire(`tenant-${i}`, clock.now());
  }
  expect([limiter.size, clock.timers.running]).toEqual([10_000, 0]);
});
