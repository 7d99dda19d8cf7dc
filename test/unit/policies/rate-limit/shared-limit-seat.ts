import { RejectedError } from '../../../../src/core/errors.ts';
import { OptionChecker } from '../../../../src/core/options.ts';
import type {
  LimiterStore,
  RateLimitOptions,
  RateWaiter,
  Taken,
} from '../../../../src/policies/rate-limit/index.ts';
import { limiterFor } from '../../../../src/policies/rate-limit/limiter-for.ts';
import { resolveRateLimit } from '../../../../src/policies/rate-limit/options.ts';
import { SharedRateLimiter } from '../../../../src/policies/rate-limit/shared-rate-limiter.ts';
import { FakeClock } from '../../../../src/testing/index.ts';

/** A store that answers as the test says. */
export class ScriptedStore implements LimiterStore {
  readonly asked: string[] = [];
  answer: (signal: AbortSignal | undefined) => Promise<Taken> = () => Promise.resolve(YES);

  take(key: string, _rate: object, signal?: AbortSignal): Promise<Taken> {
    this.asked.push(key);
    return this.answer(signal);
  }

  async close(): Promise<void> {}
}

export const YES: Taken = { granted: true, retryAfterMs: 0, remaining: 7 };
export const no = (retryAfterMs: number): Taken => ({ granted: false, retryAfterMs, remaining: 0 });

export interface Seat {
  readonly clock: FakeClock;
  readonly store: ScriptedStore;
  readonly limiter: SharedRateLimiter;
}

export function seat(options: Partial<RateLimitOptions> = {}, random: () => number = () => 0): Seat {
  const clock = new FakeClock();
  const store = new ScriptedStore();
  const resolved = resolveRateLimit(
    { limit: 10, per: '1s', algorithm: 'bucket', ...options, store },
    new OptionChecker('rateLimit'),
  );
  const limiter = limiterFor(resolved, clock, { source: { guard: 'drive' }, random });
  if (!(limiter instanceof SharedRateLimiter)) throw new Error('The limiter is not shared.');
  return { clock, store, limiter };
}

/** How the call ends, whatever it has to wait for. */
export function ending({ limiter, clock }: Seat): Promise<unknown> {
  const entry = limiter.enter(clock.now());
  if (entry === undefined) return Promise.resolve('free');
  if (entry instanceof RejectedError) return Promise.resolve(entry);
  return entry.granted.then(
    () => `granted@${clock.now()}`,
    (error: unknown) => error,
  );
}

export function waiterOf({ limiter, clock }: Seat): RateWaiter {
  const entry = limiter.enter(clock.now());
  if (entry === undefined || entry instanceof RejectedError) throw new Error('The call does not wait.');
  return entry;
}
