import type { Random } from '../../core/random.ts';

/** The shape of an exponential backoff. */
export interface BackoffShape {
  readonly delayMs: number;
  readonly factor: number;
  readonly maxDelayMs: number;
  readonly jitter: number;
}

/**
 * The delay before retry `n`: `min(maxDelay, delay * factor^n * (1 ± jitter))`, the cap applied after the jitter.
 * @param n 0 for the first retry
 * @returns milliseconds, from 0 to `maxDelayMs`
 */
export function backoffDelay(
  { delayMs, factor, maxDelayMs, jitter }: BackoffShape,
  n: number,
  random: Random,
): number {
  const spread = 1 + jitter * (2 * random() - 1);
  return Math.min(maxDelayMs, delayMs * factor ** n * spread);
}
