import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { OptionChecker } from '../../src/core/options.ts';
import type { RateLimitOptions, ResolvedRateLimit } from '../../src/policies/rate-limit/index.ts';
import { resolveRateLimit } from '../../src/policies/rate-limit/options.ts';
import { RateLimiter } from '../../src/policies/rate-limit/rate-limiter.ts';
import { RateWaiter } from '../../src/policies/rate-limit/rate-waiter.ts';
import { FakeClock } from '../../src/testing/index.ts';

function resolved(options: RateLimitOptions): ResolvedRateLimit {
  return resolveRateLimit({ algorithm: 'bucket', ...options }, new OptionChecker('rateLimit'));
}

const rate = fc.record({
  limit: fc.integer({ min: 1, max: 50 }),
  per: fc.integer({ min: 1, max: 5_000 }),
  burst: fc.integer({ min: 1, max: 50 }),
});
/** Milliseconds between calls: often none, sometimes a long rest. */
const gap = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 50 }) },
  { weight: 1, arbitrary: fc.integer({ min: 51, max: 20_000 }) },
);

/** A bucket of whole parts: `per` parts are a token, and each millisecond brings `limit` of them. Slow to read is all it has to be. */
class ObviousBucket {
  #parts: number;
  readonly #full: number;
  readonly #limit: number;
  readonly #per: number;

  constructor({ limit, per, burst }: { limit: number; per: number; burst: number }) {
    this.#limit = limit;
    this.#per = per;
    this.#full = burst * per;
    this.#parts = this.#full;
  }

  pass(ms: number): void {
    for (let i = 0; i < ms; i += 1) this.#parts = Math.min(this.#full, this.#parts + this.#limit);
  }

  take(): boolean {
    if (this.#parts < this.#per) return false;
    this.#parts -= this.#per;
    return true;
  }

  get tokens(): number {
    return Math.floor(this.#parts / this.#per);
  }
}

test('the limiter grants exactly what an obvious bucket grants, for one key and for many', () => {
  fc.assert(
    fc.property(rate, fc.array(gap, { minLength: 1, maxLength: 120 }), (options, gaps) => {
      const clock = new FakeClock();
      const bucket = new ObviousBucket(options);
      const limiter = new RateLimiter(resolved(options), clock);
      for (const ms of gaps) {
        clock.block(ms);
        bucket.pass(ms);
        expect(limiter.available).toBe(bucket.tokens);
        const expected = bucket.take();
        expect(limiter.tryAcquire(clock.now()) === 0).toBe(expected);
      }
    }),
    { numRuns: 300 },
  );
});

test('no window of any length has more than burst + its share of the limit', () => {
  fc.assert(
    fc.property(rate, fc.array(gap, { minLength: 1, maxLength: 200 }), (options, gaps) => {
      const limiter = new RateLimiter(resolved(options), new FakeClock());
      const grants: number[] = [];
      let now = 0;
      for (const ms of gaps) {
        now += ms;
        if (limiter.tryAcquire(now) === 0) grants.push(now);
      }
      for (let from = 0; from < grants.length; from += 1) {
        for (let to = from; to < grants.length; to += 1) {
          const length = (grants[to] ?? 0) - (grants[from] ?? 0);
          const allowed = options.burst + Math.floor((length * options.limit) / options.per);
          expect(to - from + 1).toBeLessThanOrEqual(allowed);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('10 per second never gives 19 around a boundary, wherever the calls fall', () => {
  const options = resolved({ limit: 10, per: '1s' });
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 130 }), { maxLength: 60 }), (times) => {
      const limiter = new RateLimiter(options, new FakeClock());
      const granted = times.toSorted((a, b) => a - b).filter((at) => limiter.tryAcquire(1e6 + at) === 0);
      expect(granted.length).toBeLessThanOrEqual(11);
    }),
    { numRuns: 500 },
  );
});

test('the time that a refusal names is the first at which there is a token', () => {
  fc.assert(
    fc.property(rate, fc.array(gap, { minLength: 1, maxLength: 80 }), (options, gaps) => {
      const limiter = new RateLimiter(resolved(options), new FakeClock());
      let now = 0;
      for (const ms of gaps) {
        now += ms;
        const waitMs = limiter.tryAcquire(now);
        if (waitMs === 0) continue;
        expect(limiter.tryAcquire(now + waitMs * 0.999)).toBeGreaterThan(0);
        now = Math.ceil(now + waitMs);
        expect(limiter.tryAcquire(now)).toBe(0);
      }
    }),
    { numRuns: 300 },
  );
});

const step = fc.oneof(
  fc.record({ kind: fc.constant('enter' as const) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 400 }) }),
  fc.record({ kind: fc.constant('leave' as const), which: fc.nat(20) }),
);

test('those who wait are served in order and in time, whoever leaves meanwhile, on one timer', async () => {
  await fc.assert(
    fc.asyncProperty(rate, fc.array(step, { maxLength: 60 }), async (options, steps) => {
      const clock = new FakeClock();
      const maxWaitMs = 1_000;
      const limiter = new RateLimiter(resolved({ ...options, maxWait: maxWaitMs, queue: 5 }), clock);
      const waiting: { waiter: RateWaiter; since: number; order: number }[] = [];
      const served: { order: number; lateMs: number }[] = [];
      let order = 0;
      for (const action of steps) {
        if (action.kind === 'pass') {
          await clock.advance(action.ms);
        } else if (action.kind === 'leave') {
          waiting[action.which % Math.max(1, waiting.length)]?.waiter.interrupt('left');
        } else {
          const entry = limiter.enter(clock.now());
          if (!(entry instanceof RateWaiter)) continue;
          const place = { waiter: entry, since: clock.now(), order: (order += 1) };
          waiting.push(place);
          const late = (): number => clock.now() - place.since - maxWaitMs;
          entry.granted.then(
            () => served.push({ order: place.order, lateMs: late() }),
            () => undefined,
          );
        }
        expect(limiter.queued).toBeLessThanOrEqual(5);
        expect(clock.timers.running).toBe(limiter.queued > 0 ? 1 : 0);
      }
      await clock.advance(maxWaitMs + 1);
      expect(limiter.queued).toBe(0);
      expect(served).toEqual(served.toSorted((a, b) => a.order - b.order));
      expect(served.filter(({ lateMs }) => lateMs > 1)).toEqual([]);
    }),
    { numRuns: 150 },
  );
});
