import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../../core/time/clock.ts';
import type { CallContext } from './call-context.ts';

/** The execution of a guard in which other guards are called. */
export interface AmbientExecution {
  readonly clock: Clock;
  /** When it is interrupted at the latest, on `clock`; `Infinity` without a limit. */
  readonly deadlineAt: number;
  /** What the guarded function was given. */
  readonly context: CallContext;
  /** Whether it was interrupted or has settled: a call that begins after that is on its own. */
  readonly isOver: boolean;
  /** Whether the function itself has settled. One that was interrupted can still be running. */
  readonly isSettled: boolean;
  /** Whether its work may be done twice. */
  readonly idempotent: boolean;
  /** The bulkhead of which it holds a slot. */
  readonly slots: object | undefined;
  /** The execution around it. */
  readonly outer: AmbientExecution | undefined;
  /** Whether its guard, or one around that, would call the function again if the function threw `error` now. */
  wouldRetry(error: unknown): boolean;
  /** Calls `listener` with the reason when it is interrupted; at once where it has been. @returns a function that removes it */
  onInterrupt(listener: (error: unknown) => void): () => void;
}

const STORAGE = Symbol.for('keelson.ambient.v2');

let known: AsyncLocalStorage<AmbientExecution> | undefined;

/** One for the process, made when the first guard is called: guards of another copy of the package see one another. */
function storage(): AsyncLocalStorage<AmbientExecution> {
  if (known) return known;
  const holder = globalThis as { [STORAGE]?: AsyncLocalStorage<AmbientExecution> };
  holder[STORAGE] ??= new AsyncLocalStorage();
  known = holder[STORAGE];
  return known;
}

/** The innermost execution around the code that runs now, over or not: for {@link notOver} and {@link mayRepeat}, so that a call asks for it once. */
export function executionHere(): AmbientExecution | undefined {
  return storage().getStore();
}

/**
 * The execution to which a call that begins in `here` belongs. `undefined` outside of any guard, and after the end of one: a poller or a socket that was
 * made inside a call lives on, and the end of that call is no end of its own calls.
 */
export function notOver(here: AmbientExecution | undefined): AmbientExecution | undefined {
  let execution = here;
  while (execution?.isOver) execution = execution.outer;
  return execution;
}

/** {@link notOver}, for the code that runs now. */
export function ambientExecution(): AmbientExecution | undefined {
  return notOver(executionHere());
}

/**
 * Whether a call that begins in `here` may do its work twice: not inside a call with `idempotent: false`, for as long as that call's function runs, be
 * the call over or not.
 */
export function mayRepeat(here: AmbientExecution | undefined): boolean {
  // A copy of the package that knows nothing of this says nothing against it.
  return notSettled(here)?.idempotent !== false;
}

/** The innermost execution whose function still runs, be it interrupted or not. */
function notSettled(here: AmbientExecution | undefined): AmbientExecution | undefined {
  let execution = here;
  while (execution?.isSettled) execution = execution.outer;
  return execution;
}

/**
 * What the function around the code that runs now was given, as long as that function runs. A function that was interrupted still sees that its signal
 * has aborted.
 */
export function ambientContext(): CallContext | undefined {
  return notSettled(executionHere())?.context;
}

/**
 * Runs `fn` outside of the guarded call around it: for work that several callers share, such as a token that all requests wait for, a batch of a
 * DataLoader, or a connection that is made once. Guarded calls within `fn` have no deadline from the call around it, do not end when that ends, and
 * retry by themselves. {@link callContext} gives `undefined` there. The trace goes on.
 * @returns what `fn` gives
 */
export function detached<R>(fn: () => R): R {
  return storage().exit(fn);
}

/** Runs `fn` inside `execution`. */
export function runInside<R>(execution: AmbientExecution, fn: () => R): R {
  return storage().run(execution, fn);
}
