import type { Random } from '../../../core/random.ts';
import type { LaterReason } from './answer.ts';

const FIRST_MS = 1_000;
const FACTOR = 1.5;
const JITTER = 0.2;
const MAX_RETRY_AFTER_MS = 60_000;

/** The longest wait in milliseconds, by reason. A wrong endpoint needs a human, and one that is away does not. */
const MAX_MS: Readonly<Record<LaterReason, number>> = {
  unreachable: 5_000,
  timeout: 5_000,
  unavailable: 5_000,
  refused: 60_000,
};

/**
 * How long to wait before the next try: 1 s, times 1.5 for each failure before, plus or minus up to 20 % at random.
 * `Retry-After` wins, up to a minute. If it is less than a second (0, or a date in the past), it is ignored, since it would hammer the receiver.
 * @param failures how many tries in a row have failed before this one, 0 or more
 * @param retryAfterMs what the receiver asked for, in milliseconds
 * @returns milliseconds
 */
export function backoffMs(
  failures: number,
  reason: LaterReason,
  retryAfterMs: number | undefined,
  random: Random,
): number {
  if (retryAfterMs !== undefined && retryAfterMs >= FIRST_MS)
    return Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
  const backoff = Math.min(MAX_MS[reason], FIRST_MS * FACTOR ** failures);
  return backoff * (1 - JITTER + 2 * JITTER * random());
}
