import { RejectedError } from '../../core/errors.ts';
import { onAbort } from '../standalone.ts';
import type { Limiter } from './rate-limiter.ts';

/** How a token is waited for. */
export interface AcquireOptions {
  /** Ends the wait when it aborts; `acquire` then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * A rate limit as its users see it, for work that no guard calls. Each member gives a promise, because a limit can be shared through a store.
 * What is taken here counts like a call of the guard.
 */
export interface LimiterHandle {
  /** Whole tokens that are there now; of a shared limit, those that were left at the last answer of its store. */
  available(): Promise<number>;
  /** Takes a token if there is one that nobody waits for. @returns whether it did; `false` too if a shared store is away and refuses */
  tryAcquire(): Promise<boolean>;
  /**
   * Takes a token, and waits for it up to `maxWait`.
   * @throws {RejectedError} `ERR_KEELSON_RATE_LIMITED` with `retryAfterMs`, `ERR_KEELSON_RATE_LIMIT_STORE`; the reason of an aborted signal
   */
  acquire(options?: AcquireOptions): Promise<void>;
  /**
   * Ends the pause that a server has asked for with `Retry-After`: those who wait go on as the limit allows. Tokens that were taken stay taken.
   * `guard.breaker.reset()` does not end it.
   */
  reset(): Promise<void>;
}

/**
 * Makes the handle of a rate limit.
 * @param current gives the limiter in force: a guard that is updated may have another one from then on, or none, which lets everything through
 * @param now reads the clock of the limiter
 */
export function limiterHandle(current: () => Limiter | undefined, now: () => number): LimiterHandle {
  return {
    available: async () => current()?.available ?? Number.POSITIVE_INFINITY,
    tryAcquire: async () => ((await current()?.tryAcquire(now())) ?? 0) === 0,
    acquire: ({ signal } = {}) => acquire(current(), now(), signal),
    reset: async () => current()?.reset(),
  };
}

/** Waits for a token. @throws the refusal, or the reason of the signal, which gives back a token that came too late */
export async function acquire(
  limiter: Limiter | undefined,
  now: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const entry = limiter?.enter(now);
  if (entry === undefined) return;
  if (entry instanceof RejectedError) throw entry;
  const stopListening = onAbort(signal, (reason) => entry.interrupt(reason));
  await entry.granted.finally(stopListening);
  if (!signal?.aborted) return;
  limiter?.giveBack(now, entry);
  throw signal.reason;
}
