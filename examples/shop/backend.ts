import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from 'keelson/testing';

/** How a backend is doing. */
export interface Condition {
  /** The shortest and the longest time that it takes, in milliseconds. */
  readonly latencyMs: readonly [number, number];
  /** The share of requests that it fails: 0 to 1. */
  readonly failureRatio: number;
  /** Where its chance begins; the same seed gives the same sequence. */
  readonly seed: number;
}

/** What a service waits for: a bank, a warehouse, a carrier. */
export interface Backend {
  /** Takes its time, and answers or throws. */
  ask(): Promise<void>;
}

/** A stand-in that has good days and bad days. The demo says which, over the process's message channel. */
export function backend(name: string): Backend {
  let condition: Condition = { latencyMs: [5, 20], failureRatio: 0, seed: 1 };
  let random = seededRandom(condition.seed);
  process.on('message', (message: { readonly condition?: Condition }) => {
    if (!message.condition) return;
    condition = message.condition;
    random = seededRandom(condition.seed);
  });
  return {
    async ask() {
      const [shortest, longest] = condition.latencyMs;
      const fails = random() < condition.failureRatio;
      await sleep(shortest + random() * (longest - shortest));
      if (fails) throw new Error(`The ${name} refuses to work.`);
    },
  };
}
