import { formatDuration } from '../core/duration.ts';
import type { ResolvedGuard } from './options.ts';

/** Says in words what a guard does with a call, outermost first: one line for each policy that is on. */
export function describe(name: string, options: ResolvedGuard, isOn: boolean): string {
  const lines = [
    options.fallback && 'fallback: answers where everything within has failed',
    options.cache &&
      `cache: fresh for ${formatDuration(options.cache.ttlMs)}, at most ${counted(options.cache.maxEntries, 'key')}`,
    options.timeout.totalMs !== undefined && `total timeout: ${formatDuration(options.timeout.totalMs)}`,
    describeRetry(options),
    describeBreaker(options),
    describeRateLimit(options),
    describeBulkhead(options),
    options.breaker && 'breaker permit: asked for again after the waits',
    options.timeout.attemptMs !== undefined &&
      `attempt timeout: ${formatDuration(options.timeout.attemptMs)}`,
    'call',
  ].filter((line) => typeof line === 'string');
  const peer = options.peer === undefined ? '' : `, peer ${options.peer}`;
  const title = `${name}${peer}${isOn ? '' : ' (switched off: only the call is made)'}`;
  return [title, ...lines.map((line, index) => `${'  '.repeat(index + 1)}${line}`)].join('\n');
}

/** `1 key`, `2 keys`. */
function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function describeRetry({ retry }: ResolvedGuard): string | undefined {
  if (!retry) return undefined;
  const delays = retry.backoff
    ? "a backoff of cockatiel's"
    : `${retry.strategy} from ${formatDuration(retry.delayMs)} to ${formatDuration(retry.maxDelayMs)}`;
  const budget = retry.budget ? `, at most ${retry.budget.ratio * 100} % of the calls` : '';
  return `retry: ${counted(retry.retries, 'time')}, ${delays}${budget}`;
}

function describeBreaker({ breaker }: ResolvedGuard): string | undefined {
  if (!breaker) return undefined;
  const { strategy, failures, failureRate, slowCallRate, slowCallMs, window, openForMs, shadow } = breaker;
  const span = 'calls' in window ? counted(window.calls, 'call') : formatDuration(window.ms);
  const rules = [
    failureRate !== undefined && `${failureRate * 100} % failures in ${span}`,
    slowCallRate !== undefined &&
      `${slowCallRate * 100} % calls over ${formatDuration(slowCallMs ?? 0)} in ${span}`,
  ].filter((rule) => typeof rule === 'string');
  const rule = strategy
    ? "a strategy of cockatiel's"
    : rules.join(' or ') || (failures === 1 ? '1 failure' : `${failures} failures in a row`);
  return `breaker check: opens at ${rule}, for ${formatDuration(openForMs)}${shadow ? ', in shadow: refuses nothing' : ''}`;
}

function describeRateLimit({ rateLimit }: ResolvedGuard): string | undefined {
  if (!rateLimit) return undefined;
  const { limit, perMs, burst, maxWaitMs, store } = rateLimit;
  const wait = maxWaitMs > 0 ? `waits up to ${formatDuration(maxWaitMs)}` : 'refuses at once';
  return `rate limit: ${limit} in ${formatDuration(perMs)}, ${burst} at once, ${wait}${store ? ', shared' : ''}`;
}

function describeBulkhead({ bulkhead }: ResolvedGuard): string | undefined {
  if (!bulkhead) return undefined;
  return `bulkhead: ${bulkhead.concurrent} at a time, ${bulkhead.queue} in the queue`;
}
