import type { ProcessIdentity, ProcessPort } from './process-identity.ts';

/** The text of an owner's lock. */
export interface OwnerLock extends ProcessIdentity {
  readonly version: 1;
  /** ISO 8601. */
  readonly startedAt: string;
}

/** How often an owner touches its lock. */
export const HEARTBEAT_MS = 10_000;

/** A lock that nobody touched for so long is a dead owner's, where its process cannot be asked for: nine heartbeats. */
export const HEARTBEAT_LIMIT_MS = 90_000;

const optional = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Reads a lock. @returns `undefined` where it cannot be used; then only its heartbeat tells whether its owner lives */
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

/** What is known of a lock file. */
export interface LockFacts {
  /** `undefined` for a lock that cannot be read. */
  readonly lock: OwnerLock | undefined;
  /** Its last change, milliseconds since 1970. */
  readonly touchedAt: number;
}

/**
 * Whether the owner of a lock lives. On the same boot and in the same pid namespace the process is asked for: it must run (a zombie does not)
 * and have the same start. Elsewhere (another container or host, a platform without /proc) a heartbeat within 90 s says yes.
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
