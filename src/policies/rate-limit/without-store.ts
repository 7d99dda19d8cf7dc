import { KeelsonError } from '../../core/errors.ts';
import type { StoreWatch } from '../../core/store-watch.ts';
import type { Clock } from '../../core/time/clock.ts';
import { RemoteGate } from '../../storage/index.ts';
import type { ResolvedRateLimit, StoreFailure } from './options.ts';

/** What happens now, for whoever is told that the store has failed. */
const CONSEQUENCES: Readonly<Record<StoreFailure, string>> = {
  failOpen: 'Until it answers, calls go on without a limit',
  failClosed: 'Until it answers, calls are refused',
  localShare: 'Until it answers, this process keeps its own part of the limit',
};

/** @returns what stands before the store of a shared limit, with the words for its failures */
export function gateOf(
  { storeTimeoutMs, onStoreFailure }: ResolvedRateLimit,
  clock: Clock,
  watch: StoreWatch | undefined,
): RemoteGate {
  const consequence = `${CONSEQUENCES[onStoreFailure]} (\`onStoreFailure: '${onStoreFailure}'\`).`;
  const late = (): KeelsonError =>
    new KeelsonError('ERR_KEELSON_STORE_TIMEOUT', `The store gave no answer within ${storeTimeoutMs} ms.`, {
      hint: 'Look at the store and the way to it; raise `rateLimit.storeTimeout` if it needs longer.',
    });
  const listener = watch && {
    failed: (error: unknown): void => watch.failed(error, consequence),
    answered: (): void => watch.answered(),
  };
  return new RemoteGate({ timeoutMs: storeTimeoutMs, clock, late, listener });
}

/** What this process may do without the others: its part of the limit, in full tokens. */
export function shareOf(options: ResolvedRateLimit): ResolvedRateLimit {
  const { algorithm, limit, perMs, burst, processes } = options;
  if (algorithm === 'window' && limit >= processes) {
    const share = Math.floor(limit / processes);
    return { ...options, limit: share, burst: share };
  }
  // A part of a token, in a window: one in the time in which all processes together may have one each.
  if (algorithm === 'window') return { ...options, limit: 1, burst: 1, perMs: (perMs * processes) / limit };
  return { ...options, perMs: perMs * processes, burst: Math.max(1, Math.floor(burst / processes)) };
}
