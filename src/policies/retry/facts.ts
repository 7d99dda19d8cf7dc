import { formatDuration } from '../../core/time/duration.ts';
import type { PolicyFacts, TimeLimits } from '../facts.ts';
import { counted, filterText } from '../facts.ts';
import type { ResolvedRetry, RetryOptions } from './options.ts';
import { BACKOFF_KEYS, resolveRetry } from './options.ts';
import { Retry } from './retry.ts';

/** What a guard knows of a retry. */
export const retryFacts: PolicyFacts<RetryOptions, ResolvedRetry, Retry> = {
  key: 'retry',
  resolve: resolveRetry,
  describe: (retry) => {
    const delays = retry.backoff
      ? "a backoff of cockatiel's"
      : `${retry.strategy} from ${formatDuration(retry.delayMs)} to ${formatDuration(retry.maxDelayMs)}`;
    const budget = retry.budget ? `, at most ${retry.budget.ratio * 100} % of the calls` : '';
    return `retry: ${counted(retry.retries, 'time')}, ${delays}${budget}${filterText('retryIf', retry.retryIf)}`;
  },
  replaces: ({ backoff }) => (backoff === undefined ? [] : BACKOFF_KEYS),
  lint: (retry, limits) => [...lintTime(retry, limits), ...lintNested(retry)],
  waitKeys: () => ['retry'],
  make: (resolved, { clock, random, warnOnce }, before) =>
    new Retry(resolved, clock, random, warnOnce, before),
};

/** Retries that have no room within the total limit of time. */
function lintTime(retry: ResolvedRetry, { attemptMs, totalMs }: TimeLimits): string[] {
  if (totalMs === undefined || retry.retries === 0) return [];
  const total = `timeout.total (${formatDuration(totalMs)})`;
  if (!retry.backoff && retry.delayMs >= totalMs) {
    return [
      `retry.delay (${formatDuration(retry.delayMs)}) leaves no room for a retry within ${total}. Shorten the delay, or allow more time.`,
    ];
  }
  const attempts = retry.retries + 1;
  // An attempt that alone fills the total is what the timeout itself warns of.
  if (attemptMs === undefined || attemptMs >= totalMs || attemptMs * attempts <= totalMs) return [];
  const product = `${attempts} attempts of ${formatDuration(attemptMs)}`;
  return [
    `${product} do not fit into ${total}: the last of them cannot happen if the first ones time out. Allow fewer, shorter, or more time.`,
  ];
}

function lintNested({ nested }: ResolvedRetry): string[] {
  if (!nested) return [];
  return [
    'retry.nested multiplies retries: with three layers of three retries a call can become 64. Leave it out, or be sure that no guard around retries.',
  ];
}
