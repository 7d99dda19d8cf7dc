import type { Latency } from './messages.ts';

/** Keeps the latest durations. */
export class Durations {
  readonly #values: number[] = [];
  readonly #limit: number;
  #next = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(durationMs: number): void {
    this.#values[this.#next] = durationMs;
    this.#next = (this.#next + 1) % this.#limit;
  }

  get values(): readonly number[] {
    return this.#values;
  }
}

/** The nearest-rank percentiles of some durations; 0 where there are none. */
export function latencyOf(values: readonly number[]): Latency {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => {
    const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
    return Math.round(value * 10) / 10;
  };
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
