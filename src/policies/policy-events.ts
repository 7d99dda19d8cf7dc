import type { Event, IFailureEvent, ISuccessEvent } from 'cockatiel';
import { Listeners } from '../core/events.ts';
import type { Clock } from '../core/time/clock.ts';

/** Adapts listeners to cockatiel's `Event`. Unlike there, a listener that throws changes nothing for the call. */
export function asEvent<T>(listeners: Listeners<T>): Event<T> {
  return (listener) => ({ dispose: listeners.add(listener) });
}

/** `onSuccess` and `onFailure` of cockatiel's `IPolicy`, with the duration of each execution in milliseconds. */
export class PolicyEvents {
  readonly #clock: Clock;
  readonly #successes = new Listeners<ISuccessEvent>();
  readonly #failures = new Listeners<IFailureEvent>();
  readonly onSuccess: Event<ISuccessEvent> = asEvent(this.#successes);
  readonly onFailure: Event<IFailureEvent> = asEvent(this.#failures);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `body` and tells the listeners how it went. */
  async watch<T>(body: () => Promise<T>, isHandled: (error: unknown) => boolean): Promise<T> {
    const startedAt = this.#clock.now();
    try {
      const value = await body();
      if (this.#successes.size > 0) this.#successes.emit({ duration: this.#clock.now() - startedAt });
      return value;
    } catch (error) {
      if (this.#failures.size > 0) {
        const duration = this.#clock.now() - startedAt;
        this.#failures.emit({ duration, handled: isHandled(error), reason: { error } });
      }
      throw error;
    }
  }
}
