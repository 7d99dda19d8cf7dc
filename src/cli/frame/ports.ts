import type { Random } from '../../core/random.ts';
import type { Clock } from '../../core/time/clock.ts';

/** Where text goes: a terminal, a pipe or a file. */
export interface Sink {
  /**
   * Writes, and waits until the reader is ready for more.
   * @throws the system's error, such as `EPIPE` where the reader is gone
   */
  write(text: string): Promise<void>;
  readonly isTty: boolean;
  /** Characters in a line of the terminal; `undefined` where there is none. */
  readonly columns: number | undefined;
}

/** What the program knows of itself. */
export interface About {
  readonly version: string;
  /** The version of Node that runs it. */
  readonly node: string;
  /** `engines.node` of the package. */
  readonly supportedNode: string;
}

/** Everything that a command may touch of the process. `main.ts` gives the real ones, tests give fakes. */
export interface CliPorts {
  readonly about: About;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted when the user wants an end; the reason is an `Interruption`. */
  readonly signal: AbortSignal;
}
