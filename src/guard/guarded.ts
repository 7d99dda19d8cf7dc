import { systemClock } from '../core/time/clock.ts';
import type { AmbientExecution } from './call/ambient.ts';
import { ambientContext, ambientExecution, runInside } from './call/ambient.ts';
import type { CallContext } from './call/call-context.ts';
import type { Guard } from './guard.ts';
import { guard as guardNamed } from './keelson.ts';
import { entering } from './names/call-site.ts';
import type { GuardOptions } from './options/options.ts';

/** The policies of a guard, and what holds for every call of the method. */
export interface GuardedOptions extends GuardOptions {
  /** Whether the work may be done twice; see `CallOptions.idempotent`. @defaultValue true */
  readonly idempotent?: boolean;
}

/** Decorates a method that returns a promise; any other is an error of the compiler. */
export type GuardedDecorator = <This, Args extends unknown[], R>(
  method: (this: This, ...args: Args) => Promise<R>,
  context: ClassMethodDecoratorContext<This, (this: This, ...args: Args) => Promise<R>>,
) => (this: This, ...args: Args) => Promise<R>;

/**
 * Puts a guard around a method: `@guarded('payments', { retry: {} })`. The operation is the method's name, `this` and the arguments stay as
 * they are, and {@link callContext} gives the method its signal. An `AbortSignal` as the last argument also ends the call when it aborts.
 * A standard decorator: it needs a compiler that knows those, such as TypeScript 5 without `experimentalDecorators`.
 * @param target the name of a guard of the default instance, or a guard. A name without policies is looked up at the first call
 * @param options the policies, where a name is given; leave them out to use the guard that has the name
 * @throws {ConfigError} `ERR_KEELSON_CONFIG` when the class is defined, for policies that cannot be used
 */
export function guarded(
  target: Guard<unknown>,
  options?: Pick<GuardedOptions, 'idempotent'>,
): GuardedDecorator;
export function guarded(target: string, options?: GuardedOptions): GuardedDecorator;
export function guarded(target: Guard | string, options: GuardedOptions = {}): GuardedDecorator {
  const { idempotent, ...policies } = options;
  const guardOf = finderOf(target, policies);
  return (method, { name }) => {
    const operation = String(name);
    return function (...args) {
      const run = (context: CallContext): ReturnType<typeof method> =>
        insideOf(context, () => method.apply(this, args));
      const last = args.at(-1);
      const signal = last instanceof AbortSignal ? last : undefined;
      return guardOf().run(operation, run, { signal, idempotent });
    };
  };
}

/**
 * What the guarded execution around the code that runs now was given: its signal, attempt and request id. `undefined` outside of any.
 *
 * It follows the async context, as `AsyncLocalStorage` does: code that a connection pool or an event emitter of an earlier call runs sees that
 * call as long as its function runs, then none. Guarded calls that such code makes after the end of the earlier call are on their own. {@link detached}
 * keeps work that several callers share out of the call that happens to start it. A `guard.run` without a timeout, a retry or a caller's signal has no context of its own here: it shows that of the guard around
 * it. Take the argument of the function there.
 */
export function callContext(): CallContext | undefined {
  return ambientContext();
}

/** Policies make the guard at once, so that a mistake shows when the class is defined. */
function finderOf(target: Guard | string, policies: GuardOptions): () => Guard {
  if (typeof target !== 'string') return () => target;
  if (Object.keys(policies).length === 0) return () => guardNamed(target);
  const guard = entering(guarded, () => guardNamed(target, policies));
  return () => guard;
}

/** Runs `fn` where {@link callContext} gives `context`; a guard that can interrupt nothing has made no frame for it. */
function insideOf<R>(context: CallContext, fn: () => R): R {
  const around = ambientExecution();
  if (around?.context === context) return fn();
  return runInside(frameFor(context, around), fn);
}

/** A frame that passes on what holds around it. */
function frameFor(context: CallContext, around: AmbientExecution | undefined): AmbientExecution {
  return {
    context,
    clock: around?.clock ?? systemClock,
    get deadlineAt() {
      return around?.deadlineAt ?? Number.POSITIVE_INFINITY;
    },
    wouldRetry: (error) => around?.wouldRetry(error) ?? false,
    get isOver() {
      return around?.isOver ?? false;
    },
    get isSettled() {
      return around?.isSettled ?? false;
    },
    slots: undefined,
    outer: around,
    onInterrupt: (listener) => around?.onInterrupt(listener) ?? (() => {}),
  };
}
