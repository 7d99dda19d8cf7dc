import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.ts';
import { ROOT } from './documents.ts';
import type { Stack } from './stack.ts';
import { TIMING_ENV } from './timing-overlay.ts';

/** What `examples/demo/main.ts --json` prints, as far as the tests read it. Moments are epoch milliseconds. */
export interface DemoSummary {
  readonly calls: Readonly<Record<string, number>>;
  readonly retries: number;
  readonly breakerTransitions: Readonly<Record<string, number>>;
  readonly transitions: readonly DemoTransition[];
  readonly phases: readonly { readonly name: string; readonly startedAt: number }[];
  readonly processes: readonly { readonly pid: number }[];
}

/** A breaker that changed its state. */
export interface DemoTransition {
  readonly at: number;
  readonly guard: string;
  readonly from: string;
  readonly to: string;
}

/** The demo as a user starts it, sending to a stack. */
export class Demo {
  readonly #child: Child;

  constructor(stack: Stack, runFor: string) {
    const home = join(stack.folder, 'demo');
    mkdirSync(home);
    const flags = ['--for', runFor, '--json', '--seed', '1', '--otlp', stack.otlp, '--home', home];
    this.#child = new Child('demo', process.execPath, ['examples/demo/main.ts', ...flags], ROOT, {
      ...process.env,
      ...TIMING_ENV,
    });
  }

  /** @returns its summary, once it has ended; throws where it failed */
  async summary(): Promise<DemoSummary> {
    const code = await this.#child.ended();
    if (code !== 0) throw new Error(`The demo ended with ${code}:\n${this.#child.output}`);
    return JSON.parse(this.#child.stdout) as DemoSummary;
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}

/**
 * When the trouble began that a notification tells of: the breaker left `closed` and did not come back before it.
 *
 * @param transitions in their order
 * @param guard whose breaker
 * @param before the moment of the notification
 */
export function faultBefore(
  transitions: readonly DemoTransition[],
  guard: string,
  before: number,
): number | undefined {
  return transitions.findLast((each) => each.guard === guard && each.from === 'closed' && each.at <= before)
    ?.at;
}
