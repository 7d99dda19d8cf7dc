export { HEARTBEAT_MS, isOwnerAlive, lockName, parseOwnerLock } from './owner-lock.ts';
export type { LockFacts } from './owner-lock.ts';
export { Owner } from './owner.ts';
export { processStatOf } from './proc-stat.ts';
export { systemProcesses } from './process-identity.ts';
export type { ProcessPort } from './process-identity.ts';
