import type { ProcessIdentity, ProcessPort } from './process-identity.ts';

/** The content of a lock file: which process holds the lock, and since when. */
export interface OwnerLock extends ProcessIdentity {
  readonly version: 1;
  /** ISO 8601. */
  readonly startedAt: string;
}

/** How often an owner touches its lock, in milliseconds. */
export const HEARTBEAT_MS = 10_000;

/** The age, in milliseconds, at which an untouched lock counts as a dead owner's if its process cannot be looked up: nine heartbeats. */
export const HEARTBEAT_LIMIT_MS = 90_000;

const optional = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The file name of an owner's lock. */
export function lockName(owner: string): string {
  return `${owner}.lock`;
}

/**
 * Parses the content of a lock file, and never throws.
 * @returns `undefined` if it is no lock of this version; then only the heartbeat shows whether the owner lives
 */
export function parseOwnerLock(text: string): OwnerLock | undefined {
  let body: Partial<Record<keyof OwnerLock, unknown>> | null;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof body !== 'object' || body === null || body.version !== 1) return undefined;
  const { pid, host, startedAt } = body;
  if (typeof pid !== 'number' || typeof host !== 'string' || typeof startedAt !== 'string') return undefined;
  return {
    version: 1,
    pid,
    startTicks: optional(body.startTicks),
    bootId: optional(body.bootId),
    pidNamespace: optional(body.pidNamespace),
    host,
    startedAt,
  };
}

/** A lock file: its content and its age. */
export interface LockFacts {
  /** `undefined` if the content is no lock. */
  readonly lock: OwnerLock | undefined;
  /** The last change of the file, in milliseconds since 1970. */
  readonly touchedAt: number;
}

/**
 * Whether the owner of a lock lives.
 * - If the owner runs on the same boot and in the same pid namespace, its process is looked up. It must run (a zombie does not), and it must have
 *   the start time of the lock.
 * - Otherwise (another container or host, a platform without /proc) a heartbeat within {@link HEARTBEAT_LIMIT_MS} means that it lives.
 * @param now milliseconds since 1970
 */
export function isOwnerAlive({ lock, touchedAt }: LockFacts, processes: ProcessPort, now: number): boolean {
  const self = processes.self();
  const askable =
    lock?.startTicks !== undefined &&
    lock.bootId !== undefined &&
    lock.pidNamespace !== undefined &&
    lock.bootId === self.bootId &&
    lock.pidNamespace === self.pidNamespace;
  if (!lock || !askable) return now - touchedAt < HEARTBEAT_LIMIT_MS;
  const found = processes.stat(lock.pid);
  return found !== undefined && found.startTicks === lock.startTicks && !'ZXx'.includes(found.state);
}
