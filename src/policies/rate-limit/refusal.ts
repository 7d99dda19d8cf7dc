import type { ErrorSource } from '../../core/errors.ts';
import { ofGuard, RejectedError } from '../../core/errors.ts';
import { formatDuration } from '../../core/time/duration.ts';
import type { ResolvedRateLimit } from './options.ts';
import type { Refusal } from './waiting-room.ts';

/** @returns what makes the error for a call that gets no token in time */
export function rateLimited(options: ResolvedRateLimit, source: ErrorSource): Refusal {
  const { limit, perMs, queue } = options;
  const from = { ...source, policy: 'rate_limit' } as const;
  const rate = `${limit} per ${formatDuration(perMs)}`;
  return (waitMs, why) => {
    const retryAfterMs = Math.ceil(waitMs);
    const message =
      why === 'too_long'
        ? `The limit of ${rate} is used up; the next turn is in ${formatDuration(retryAfterMs)}.`
        : `The limit of ${rate} is used up, and all ${queue} places in the line are taken.`;
    return new RejectedError('ERR_KEELSON_RATE_LIMITED', 'rate_limited', ofGuard(source, message), {
      source: from,
      retryAfterMs,
      hint: 'Spread the calls, let them wait with `rateLimit.maxWait`, or raise `rateLimit.limit` if the dependency allows more.',
    });
  };
}

/** @returns the error for a call that is refused because the store cannot say whether it has a token */
export function storeAway(source: ErrorSource, retryAfterMs: number, cause: unknown): RejectedError {
  const message = 'The store of the rate limit cannot be asked, and no call goes on without it.';
  return new RejectedError('ERR_KEELSON_RATE_LIMIT_STORE', 'rate_limited', ofGuard(source, message), {
    cause,
    source: { ...source, policy: 'rate_limit' },
    retryAfterMs: Math.ceil(retryAfterMs),
    hint: "Look at the store, or set `rateLimit.onStoreFailure` to 'localShare' or 'failOpen'.",
  });
}
