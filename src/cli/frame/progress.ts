import type { Clock } from '../../core/time/clock.ts';
import type { Sink } from './ports.ts';

const EVERY_MS = 100;
const DEFAULT_COLUMNS = 80;
const CLEAR_LINE = '\r\u001b[K';

/** One line on standard error that says how far the work is: on a terminal only, at most ten times a second, and gone at the end. */
export class Progress {
  #sink: Sink | undefined;
  readonly #clock: Clock;
  #shownAt = Number.NEGATIVE_INFINITY;
  #visible = false;

  /** @param enabled `false` for `--quiet` */
  constructor(sink: Sink, clock: Clock, enabled: boolean) {
    this.#sink = enabled && sink.isTty ? sink : undefined;
    this.#clock = clock;
  }

  /** @param text gives the line; only asked where it will be shown */
  async show(text: () => string): Promise<void> {
    if (!this.#sink) return;
    const now = this.#clock.now();
    if (now - this.#shownAt < EVERY_MS) return;
    this.#shownAt = now;
    this.#visible = true;
    await this.#write(CLEAR_LINE + text().slice(0, (this.#sink.columns ?? DEFAULT_COLUMNS) - 1));
  }

  /** Takes the line away. */
  async end(): Promise<void> {
    if (!this.#sink || !this.#visible) return;
    this.#visible = false;
    await this.#write(CLEAR_LINE);
  }

  /** A terminal that is gone ends the progress, not the work. */
  async #write(text: string): Promise<void> {
    try {
      await this.#sink?.write(text);
    } catch {
      this.#sink = undefined;
    }
  }
}
