import type { GuardSnapshot } from 'keelson';
import type { Condition } from '../shop/backend.ts';

/** Durations of calls in milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** A guard's own numbers, and how long its calls took. */
export interface GuardReport {
  readonly snapshot: GuardSnapshot;
  readonly latency: Latency;
}

/** Something that happened in a guard. */
export interface GuardNews {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly guard: string;
  readonly type: 'breaker.transition' | 'retry.scheduled' | 'retry.suppressed' | 'rejected' | 'timeout';
  readonly says: string;
  /** For a transition of the breaker. */
  readonly from?: string;
  readonly to?: string;
}

/** What the demo tells a service. */
export interface ToService {
  readonly condition?: Condition;
  /** Asks for the last report, with every call in it. */
  readonly finish?: true;
}

/** What a service tells the demo. */
export type FromService =
  | { readonly type: 'guards'; readonly guards: readonly GuardReport[] }
  | { readonly type: 'news'; readonly news: GuardNews }
  | { readonly type: 'finished'; readonly guards: readonly GuardReport[]; readonly all: Latency };
