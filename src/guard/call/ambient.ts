import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../../core/time/clock.ts';
import type { CallContext } from './call-context.ts';

/** The execution of a guard in which other guards are called. */
export interface AmbientExecution {
  readonly clock: Clock;
  /** When it is interrupted at the latest, on `clock`; `Infinity` without a limit. */
  readonly deadlineAt: number;
  /** Whether its guard retries, and has retries left. */
  readonly retries: boolean;
  /** What the guarded function was given. */
  readonly context: CallContext;
  /** Whether it has settled: what goes on after it is on its own. */
  readonly isOver: boolean;
  /** The execution around it. */
  readonly outer: AmbientExecution | undefined;
  /** Calls `listener` with the reason when it is interrupted; at once where it has been. @returns a function that removes it */
  onInterrupt(listener: (error: unknown) => void): () => void;
}

const STORAGE = Symbol.for('keelson.ambient.v1');

let known: AsyncLocalStorage<AmbientExecution> | undefined;

/** One for the process, made when the first guard is called: guards of another copy of the package see one another. */
function storage(): AsyncLocalStorage<AmbientExecution> {
  if (known) return known;
  const holder = globalThis as { [STORAGE]?: AsyncLocalStorage<AmbientExecution> };
  holder[STORAGE] ??= new AsyncLocalStorage();
  known = holder[STORAGE];
  return known;
}

/** The execution around the code that runs now; `undefined` outside of any guard, and after the end of one. */
export function ambientExecution(): AmbientExecution | undefined {
  let execution = storage().getStore();
  while (execution?.isOver) execution = execution.outer;
  return execution;
}

/** Runs `fn` outside of any execution: for work that belongs to more than one call. */
export function runOutside<R>(fn: () => R): R {
  return storage().exit(fn);
}

/** Runs `fn` inside `execution`. */
export function runInside<R>(execution: AmbientExecution, fn: () => R): R {
  return storage().run(execution, fn);
}
