import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OptionChecker } from '../../../src/core/options.ts';
import type { RateLimitOptions } from '../../../src/index.ts';
import { createKeelson, presets, rateLimit } from '../../../src/index.ts';
import { resolveRateLimit } from '../../../src/policies/rate-limit/options.ts';
import { RateLimiter } from '../../../src/policies/rate-limit/rate-limiter.ts';
import { FakeClock } from '../../../src/testing/index.ts';

/** The most grants in any half-open interval of that length. The times are in order. */
function mostWithin(periodMs: number, times: readonly number[]): number {
  let most = 0;
  let from = 0;
  for (const [to, time] of times.entries()) {
    while (time - (times[from] ?? 0) >= periodMs) from += 1;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

function limiterOf(options: RateLimitOptions, clock: FakeClock = new FakeClock()): RateLimiter {
  return new RateLimiter(resolveRateLimit(options, new OptionChecker('rateLimit')), clock);
}

describe('no period has more calls than the limit', () => {
  test.each([
    ['10 in a second', { limit: 10, per: '1s' }, 10, 5_000, 1_000, 10],
    ['60 in a minute', { limit: 60, per: '1m' }, 250, 240_000, 60_000, 60],
    ['pexels', presets.pexels.rateLimit, 5_000, 4 * 3_600_000, 3_600_000, 200],
    ['github', presets.github.rateLimit, 500, 240_000, 60_000, 30],
  ] as const)(
    'of a guard that asks all the time: %s',
    async (_name, options, stepMs, totalMs, periodMs, most) => {
      const clock = new FakeClock();
      const guard = createKeelson({ clock }).guard('api', {
        rateLimit: { ...options, maxWait: 0 } as RateLimitOptions,
      });
      const starts: number[] = [];
      for (let now = 0; now < totalMs; now += stepMs) {
        while ((await guard.outcome('op', () => 1)).outcome === 'success') starts.push(clock.now());
        await clock.advance(stepMs);
      }
      expect(mostWithin(periodMs, starts)).toBe(most);
      expect(starts.length).toBeGreaterThanOrEqual(Math.floor(totalMs / periodMs) * most);
    },
  );

  test('wherever calls arrive, and every one that fits is let in', () => {
    const gap = fc.oneof(
      { weight: 4, arbitrary: fc.constant(0) },
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 60 }) },
      { weight: 1, arbitrary: fc.integer({ min: 61, max: 3_000 }) },
    );
    const options = fc.record({
      limit: fc.integer({ min: 1, max: 40 }),
      per: fc.integer({ min: 1, max: 1_000 }),
    });
    fc.assert(
      fc.property(options, fc.array(gap, { minLength: 1, maxLength: 200 }), (rate, gaps) => {
        const clock = new FakeClock();
        const limiter = limiterOf(rate, clock);
        const grants: number[] = [];
        for (const ms of gaps) {
          clock.block(ms);
          const now = clock.now();
          const counting = grants.filter((at) => now - at < rate.per).length;
          expect(limiter.available).toBe(rate.limit - counting);
          const waitMs = limiter.tryAcquire(now);
          expect(waitMs === 0).toBe(counting < rate.limit);
          const freeAt = counting < rate.limit ? now : (grants.at(-rate.limit) ?? 0) + rate.per;
          expect(now + waitMs).toBe(freeAt);
          if (waitMs === 0) grants.push(now);
        }
        expect(mostWithin(rate.per, grants)).toBeLessThanOrEqual(rate.limit);
      }),
      { numRuns: 300 },
    );
  });

  test('whether calls wait, leave the line or give their token back unused', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('enter' as const) }),
      fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 400 }) }),
      fc.record({ kind: fc.constant('unused' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(step, { maxLength: 80 }),
        async (limit, steps) => {
          const clock = new FakeClock();
          const limiter = limiterOf({ limit, per: 500, maxWait: '2s', queue: 5 }, clock);
          const used: number[] = [];
          for (const action of steps) {
            const now = clock.now();
            if (action.kind === 'pass') await clock.advance(action.ms);
            else if (action.kind === 'unused') {
              if (limiter.tryAcquire(now) > 0) continue;
              limiter.giveBack(now);
            } else {
              const entry = limiter.enter(now);
              if (entry === undefined) used.push(now);
              else if ('granted' in entry) void entry.granted.then(() => used.push(clock.now()));
            }
          }
          await clock.advance(3_000);
          expect(limiter.queued).toBe(0);
          expect(mostWithin(500, used)).toBeLessThanOrEqual(limit);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('a window', () => {
  test('is the default, and the bucket with a burst is there on request', () => {
    const keelson = createKeelson();
    const describeOf = (name: string, options: RateLimitOptions): string =>
      keelson.guard(name, { rateLimit: options }).describe();
    expect(describeOf('a', { limit: 60, per: '1m' })).toContain('rate limit: 60 in any 1m, refuses at once');
    const bucket = { algorithm: 'bucket', limit: 60, per: '1m', burst: 5 } as const;
    expect(describeOf('b', bucket)).toContain('rate limit: 60 in 1m, 5 at once, refuses at once');
  });

  test.each([
    [
      { limit: 10, per: '1s', burst: 1 },
      "Expected `burst` to be left out with `algorithm: 'window'`, got 1 (number). A window lets all of `limit` start at once. Add `algorithm: 'bucket'` to bound what starts at once.",
    ],
    [
      { limit: 10_001, per: '1s' },
      "Expected `limit` to be at most 10000 with `algorithm: 'window'`, got 10001 (number). A window keeps the time of each call. Use `algorithm: 'bucket'` for more.",
    ],
    [
      { limit: 1, per: '1s', store: { take: async () => ({}), close: async () => {} } },
      "Expected `store` to have a method `takeFromWindow`, got undefined. `algorithm: 'window'` counts in it. Add it as `LimiterStore` describes it, or set `algorithm: 'bucket'`, which needs `take` alone.",
    ],
    [
      { limit: 1, per: '1s', algorithm: 'gcra' },
      "Expected `algorithm` to be 'window' or 'bucket', got 'gcra'",
    ],
  ])('is refused what only a bucket can do: %j', (options, message) => {
    expect(() => rateLimit(options as RateLimitOptions)).toThrow(message);
  });

  test('has the place of a token that was not used again, and not that of a later one', () => {
    const limiter = limiterOf({ limit: 2, per: '1s' });
    expect([limiter.tryAcquire(0), limiter.tryAcquire(400)]).toEqual([0, 0]);
    limiter.giveBack(0);
    expect(limiter.tryAcquire(500)).toBe(0);
    expect(limiter.tryAcquire(1_000)).toBe(400);
    expect(limiter.tryAcquire(1_400)).toBe(0);
  });

  test('needs memory for the calls that count only, and gives all of 10,000', () => {
    const limiter = limiterOf({ limit: 10_000, per: '1s' });
    let granted = 0;
    while (limiter.tryAcquire(0) === 0) granted += 1;
    expect(granted).toBe(10_000);
    expect(limiter.tryAcquire(1_000)).toBe(0);
  });

  test('goes on from where it was if the clock is set back by an hour: a period is waited at most, and nothing comes twice', () => {
    const limiter = limiterOf({ limit: 2, per: '10s' });
    expect([limiter.tryAcquire(3_600_000), limiter.tryAcquire(3_604_000)]).toEqual([0, 0]);
    expect(limiter.tryAcquire(0)).toBe(6_000);
    expect(limiter.tryAcquire(6_000)).toBe(0);
    expect(limiter.tryAcquire(6_000)).toBe(4_000);
  });

  test('waits out a clock that is a little behind', () => {
    const limiter = limiterOf({ limit: 1, per: '1s' });
    expect(limiter.tryAcquire(5_000)).toBe(0);
    expect(limiter.tryAcquire(4_500)).toBe(1_000);
    expect(limiter.tryAcquire(5_999)).toBe(1);
    expect(limiter.tryAcquire(6_000)).toBe(0);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'gives nothing at %s, and nothing is spoilt',
    (now) => {
      const limiter = limiterOf({ limit: 2, per: '1s', maxWait: '1s' });
      expect(limiter.tryAcquire(now)).toBe(1_000);
      expect(limiter.enter(now)).toMatchObject({ code: 'ERR_KEELSON_RATE_LIMITED' });
      expect([limiter.tryAcquire(0), limiter.tryAcquire(0), limiter.tryAcquire(0)]).toEqual([0, 0, 1_000]);
    },
  );

  test('says in which turn each of many who wait has its token', async () => {
    const clock = new FakeClock();
    const limiter = limiterOf({ limit: 2, per: '1s', maxWait: '2s' }, clock);
    const turns: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      const entry = limiter.enter(0);
      if (entry && 'granted' in entry) void entry.granted.then(() => turns.push(clock.now()));
    }
    expect(limiter.queued).toBe(4);
    expect(limiter.enter(0)).toMatchObject({ retryAfterMs: 3_000 });
    await clock.advance(2_000);
    expect(turns).toEqual([1_000, 1_000, 2_000, 2_000]);
  });
});
