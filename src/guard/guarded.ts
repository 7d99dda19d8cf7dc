import { OptionChecker } from '../core/options.ts';
import { systemClock } from '../core/time/clock.ts';
import type { AmbientExecution } from './call/ambient.ts';
import { ambientContext, ambientExecution, runInside } from './call/ambient.ts';
import type { CallContext } from './call/call-context.ts';
import type { Method } from './decorated-method.ts';
import { copyIdentity, decoratedMethod } from './decorated-method.ts';
import type { Guard } from './guard.ts';
import { guard as guardNamed } from './keelson.ts';
import { entering } from './names/call-site.ts';
import type { GuardOptions } from './options/options.ts';

/** The policies of a guard, and what holds for every call of the method. */
export interface GuardedOptions extends GuardOptions {
  /** Whether the work may be done twice; see `CallOptions.idempotent`. @defaultValue true */
  readonly idempotent?: boolean;
}

/**
 * Decorates a method that returns a promise; any other is an error of the compiler. The first form is that of standard decorators, the second
 * that of compilers with `experimentalDecorators`.
 */
export interface GuardedDecorator {
  <This, Args extends unknown[], R>(
    method: (this: This, ...args: Args) => Promise<R>,
    context: ClassMethodDecoratorContext<This, (this: This, ...args: Args) => Promise<R>>,
  ): (this: This, ...args: Args) => Promise<R>;
  <M extends (...args: never[]) => Promise<unknown>>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<M>,
  ): TypedPropertyDescriptor<M>;
}

/**
 * Puts a guard around a method: `@guarded('payments', { retry: {} })`. The operation is the method's name. `this`, the arguments and the metadata
 * of the method stay, and {@link callContext} gives the method its signal. An `AbortSignal` as the last argument also ends the call when it aborts.
 *
 * Works as a standard decorator and under `experimentalDecorators`, on instance and static methods.
 * @param target the name of a guard of the default instance, or a guard. A name without policies is looked up at the first call
 * @param options the policies, if a name is given; leave them out to use the guard that has the name
 * @throws {ConfigError} `ERR_KEELSON_CONFIG` when the class is defined: for policies that cannot be used, and for a decorator on a class, a field,
 *   an accessor, a parameter or a generator
 */
export function guarded(
  target: Guard<unknown>,
  options?: Pick<GuardedOptions, 'idempotent'>,
): GuardedDecorator;
export function guarded(target: string, options?: GuardedOptions): GuardedDecorator;
export function guarded(target: Guard | string, options: GuardedOptions = {}): GuardedDecorator {
  const { idempotent, ...policies } = options;
  check(target, policies, idempotent);
  const guardOf = finderOf(target, policies);
  const decorate = (...given: unknown[]): unknown => {
    const { method, name, replacedBy } = decoratedMethod(given);
    const operation = String(name);
    const standIn: Method = function (...args) {
      const run = (context: CallContext): unknown => insideOf(context, () => method.apply(this, args));
      return guardOf().run(operation, run, { signal: signalIn(args), idempotent });
    };
    copyIdentity(method, standIn);
    return replacedBy(standIn);
  };
  // One function for the two forms of decorators; which one it is called in, only its arguments show.
  return decorate as GuardedDecorator;
}

/** @throws {ConfigError} for a target that is no guard, and for options that would be ignored */
function check(target: unknown, policies: GuardOptions, idempotent: unknown): void {
  const checker = new OptionChecker('@guarded');
  if (typeof target !== 'string' && typeof Reflect.get(Object(target), 'run') !== 'function')
    checker.problem('target', 'to be a guard or the name of one', target, "Write `@guarded('payments')`.");
  if (typeof target !== 'string') {
    for (const [key, policy] of Object.entries(policies))
      checker.problem(
        key,
        'to be left out',
        policy,
        'Give policies to the guard itself: `guard(name, { ... })`.',
      );
  }
  checker.boolean('idempotent', idempotent, true);
  checker.done();
}

/** The signal that the caller gave as the last argument. One of another realm is no instance of this realm's class. */
function signalIn(args: readonly unknown[]): AbortSignal | undefined {
  const last = args.at(-1);
  return Object.prototype.toString.call(last) === '[object AbortSignal]' ? (last as AbortSignal) : undefined;
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
    idempotent: around?.idempotent ?? true,
    slots: undefined,
    outer: around,
    onInterrupt: (listener) => around?.onInterrupt(listener) ?? (() => {}),
  };
}
