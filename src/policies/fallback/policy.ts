import type { Event, IDefaultPolicyContext, IPolicy } from 'cockatiel';
import { Listeners } from '../../core/events.ts';
import { isMistake, mistakeWarning } from '../../core/mistake.ts';
import { OptionChecker } from '../../core/options.ts';
import { systemClock } from '../../core/time/clock.ts';
import { asEvent, PolicyEvents } from '../policy-events.ts';
import type { PolicyPorts } from '../standalone.ts';
import { warnerOf } from '../standalone.ts';
import { isWorthIt, standIn } from './fallback.ts';
import { resolveFallback } from './options.ts';

/** Options of a fallback that stands alone: its function gets the error only, since no guard knows about the call. */
export type FallbackPolicyOptions<R> = {
  /** Which errors are worth it. One that throws means no. @defaultValue all of them */
  readonly when?: (error: unknown) => boolean;
} & (
  | { readonly value: R; readonly with?: undefined }
  | { readonly with: (error: unknown) => PromiseLike<R> | R; readonly value?: undefined }
);

/** A fallback as a policy of its own. */
export interface FallbackPolicy<R> extends IPolicy<IDefaultPolicyContext, R> {
  /** How often it has given its value. */
  readonly used: number;
  /** Calls its listeners with the error of an execution each time the fallback has given its value. */
  readonly onFallback: Event<{ readonly error: unknown }>;
}

/**
 * A fallback that mixes in cockatiel's `wrap`. An execution that its caller aborts does not fall back.
 * @throws {ConfigError} for options that cannot be used
 */
export function fallback<R>(
  options: FallbackPolicyOptions<R>,
  { clock = systemClock }: PolicyPorts = {},
): FallbackPolicy<R> {
  const check = new OptionChecker('fallback');
  const resolved = resolveFallback(options, check);
  check.done();
  const events = new PolicyEvents(clock);
  const warn = warnerOf('fallback');
  const uses = new Listeners<{ readonly error: unknown }>();
  let used = 0;

  async function run<T>(
    fn: (context: IDefaultPolicyContext) => PromiseLike<T> | T,
    signal: AbortSignal | undefined,
  ): Promise<T | R> {
    signal?.throwIfAborted();
    try {
      return await fn({ signal: signal ?? new AbortController().signal });
    } catch (error) {
      if (signal?.aborted || !isWorthIt(resolved, error, warn)) throw error;
      const value = await standIn(resolved, error, undefined);
      if (isMistake(error)) warn(`mistake/${error.name}`, () => mistakeWarning('The function', error));
      used += 1;
      if (uses.size > 0) uses.emit({ error });
      return value as R;
    }
  }

  return {
    _altReturn: undefined as never,
    onSuccess: events.onSuccess,
    onFailure: events.onFailure,
    onFallback: asEvent(uses),
    get used() {
      return used;
    },
    execute: (fn, signal) =>
      events.watch(
        () => run(fn, signal),
        () => false,
      ),
  };
}
