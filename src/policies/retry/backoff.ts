import type { Random } from '../../core/random.ts';

/** How delays grow from one retry to the next. */
export const BACKOFF_STRATEGIES = ['exponential', 'linear', 'constant', 'fibonacci', 'decorrelated'] as const;

/** How delays grow from one retry to the next. */
export type BackoffStrategy = (typeof BACKOFF_STRATEGIES)[number];

/** The shape of a backoff. */
export interface BackoffShape {
  readonly strategy: BackoffStrategy;
  readonly delayMs: number;
  readonly factor: number;
  readonly maxDelayMs: number;
  readonly jitter: number;
}

/**
 * The delay before retry `n`: `min(maxDelay, base * (1 ± jitter))`, the cap applied after the jitter. The base is
 * - `exponential`: `delay * factor^n`
 * - `linear`: `delay * (n + 1)`
 * - `constant`: `delay`
 * - `fibonacci`: `delay * F(n + 1)`: 1, 1, 2, 3, 5, ... times
 *
 * `decorrelated` is all chance: evenly between `delay` and three times the delay before, without a jitter of its own ("Exponential Backoff
 * And Jitter", AWS Architecture Blog, 2015).
 * @param n 0 for the first retry
 * @param previousMs the delay before retry `n - 1`; `delayMs` for the first
 * @returns milliseconds, from 0 to `maxDelayMs`
 */
export function backoffDelay(
  shape: BackoffShape,
  n: number,
  random: Random,
  previousMs: number = shape.delayMs,
): number {
  const { strategy, delayMs, maxDelayMs, jitter } = shape;
  if (strategy === 'decorrelated') {
    return Math.min(maxDelayMs, delayMs + random() * Math.max(0, previousMs * 3 - delayMs));
  }
  const spread = 1 + jitter * (2 * random() - 1);
  return Math.min(maxDelayMs, baseDelay(shape, n) * spread);
}

function baseDelay({ strategy, delayMs, factor }: BackoffShape, n: number): number {
  switch (strategy) {
    case 'linear':
      return delayMs * (n + 1);
    case 'constant':
      return delayMs;
    case 'fibonacci':
      return delayMs * fibonacci(n + 1);
    case 'exponential':
    case 'decorrelated':
      return delayMs * factor ** n;
  }
}

/** 1, 1, 2, 3, 5, ... for 1, 2, 3, 4, 5, ... */
function fibonacci(n: number): number {
  let current = 1;
  let previous = 0;
  for (let i = 1; i < n; i += 1) [current, previous] = [current + previous, current];
  return current;
}
