import { formatDuration } from '../core/duration.ts';
import { rateLimitDefaults } from '../policies/rate-limit/index.ts';
import type { ResolvedGuard } from './options.ts';

/**
 * What does not fit together in a guard's options, though each of them is fine by itself.
 * @returns one sentence for each, with what to change
 */
export function lint(options: ResolvedGuard): string[] {
  return [
    ...lintTotal(options),
    ...lintWaits(options),
    ...lintBreaker(options),
    ...lintRetry(options),
    ...lintRateLimit(options),
  ];
}

function lintTotal({ timeout: { attemptMs, totalMs }, retry }: ResolvedGuard): string[] {
  if (totalMs === undefined) return [];
  const total = `timeout.total (${formatDuration(totalMs)})`;
  if (attemptMs !== undefined && attemptMs >= totalMs) {
    return [
      `timeout.attempt (${formatDuration(attemptMs)}) is never reached within ${total}. Make it shorter, or leave it out.`,
    ];
  }
  if (!retry || retry.retries === 0) return [];
  if (!retry.backoff && retry.delayMs >= totalMs) {
    return [
      `retry.delay (${formatDuration(retry.delayMs)}) leaves no room for a retry within ${total}. Shorten the delay, or allow more time.`,
    ];
  }
  const attempts = retry.retries + 1;
  if (attemptMs === undefined || attemptMs * attempts <= totalMs) return [];
  const product = `${attempts} attempts of ${formatDuration(attemptMs)}`;
  return [
    `${product} do not fit into ${total}: the last of them cannot happen where the first ones time out. Allow fewer, shorter, or more time.`,
  ];
}

function lintWaits({ timeout: { totalMs }, bulkhead, rateLimit }: ResolvedGuard): string[] {
  if (totalMs === undefined) return [];
  const waits: readonly (readonly [string, number | undefined])[] = [
    ['bulkhead.queueTimeout', bulkhead?.queueTimeoutMs],
    ['rateLimit.maxWait', rateLimit?.maxWaitMs],
  ];
  return waits.flatMap(([name, ms]) =>
    ms !== undefined && ms >= totalMs
      ? [
          `${name} (${formatDuration(ms)}) is never reached within timeout.total (${formatDuration(totalMs)}). Make it shorter.`,
        ]
      : [],
  );
}

function lintBreaker({ breaker, timeout: { attemptMs } }: ResolvedGuard): string[] {
  if (!breaker || breaker.strategy) return [];
  const found: string[] = [];
  const { failureRate, slowCallRate, slowCallMs, window, minimumCalls, openForMs } = breaker;
  const hasRate = failureRate !== undefined || slowCallRate !== undefined;
  if (hasRate && 'calls' in window && minimumCalls > window.calls) {
    found.push(
      `breaker.minimumCalls (${minimumCalls}) is never reached in a breaker.window of ${window.calls} calls: the circuit cannot open. Widen the window.`,
    );
  }
  if (slowCallMs !== undefined && slowCallRate === undefined) {
    found.push(
      'breaker.slowCall does nothing without breaker.slowCallRate. Say at which share of slow calls the circuit opens.',
    );
  }
  if (attemptMs === undefined) return found;
  if (slowCallMs !== undefined && failureRate === undefined && slowCallMs >= attemptMs) {
    found.push(
      'breaker.slowCall is not shorter than timeout.attempt, and failures do not count: the circuit cannot open. Shorten it, or give a failureRate.',
    );
  }
  if (attemptMs > openForMs) {
    found.push(
      'timeout.attempt is longer than breaker.openFor: trials are given up before they can answer. Make openFor longer.',
    );
  }
  return found;
}

function lintRateLimit({ rateLimit }: ResolvedGuard): string[] {
  if (!rateLimit || rateLimit.store) return [];
  const given = [
    rateLimit.onStoreFailure !== rateLimitDefaults.onStoreFailure && 'rateLimit.onStoreFailure',
    rateLimit.processes !== rateLimitDefaults.processes && 'rateLimit.processes',
  ].filter((name) => typeof name === 'string');
  return given.map(
    (name) =>
      `${name} does nothing without rateLimit.store: this process keeps the whole limit by itself. Give a store, or leave it out.`,
  );
}

function lintRetry({ retry }: ResolvedGuard): string[] {
  if (!retry?.nested) return [];
  return [
    'retry.nested multiplies retries: with three layers of three retries a call can become 64. Leave it out, or be sure that no guard around retries.',
  ];
}
