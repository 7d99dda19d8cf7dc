import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { ELDHistogram, EventLoopUtilization } from 'node:perf_hooks';
import type { EventLoopSample } from './sample.ts';

const DELAY_RESOLUTION_MS = 10;
const NANOSECONDS = 1e9;
const MILLISECONDS = 1_000;

/** Watches how late timers of the event loop come, and how busy it is. Node's timer for it keeps no process alive. */
export class EventLoopWatch {
  #histogram: ELDHistogram | undefined;
  #before: EventLoopUtilization | undefined;

  start(): void {
    const histogram = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
    histogram.enable();
    this.#histogram = histogram;
  }

  stop(): void {
    this.#histogram?.disable();
    this.#histogram = undefined;
  }

  /** Tells what was since the sample before, and begins anew. */
  sample(): EventLoopSample {
    const now = performance.eventLoopUtilization();
    const since = this.#before ? performance.eventLoopUtilization(now, this.#before) : now;
    this.#before = now;
    const sample = {
      delay: this.#histogram && delayOf(this.#histogram),
      utilization: since.utilization,
      active: now.active / MILLISECONDS,
      idle: now.idle / MILLISECONDS,
    };
    this.#histogram?.reset();
    return sample;
  }
}

/** Node's histogram holds the whole distance between two ticks: what is past the resolution is the delay. */
function delayOf(histogram: ELDHistogram): EventLoopSample['delay'] {
  if (histogram.count === 0) return undefined;
  const late = (nanoseconds: number): number =>
    Math.max(0, nanoseconds / NANOSECONDS - DELAY_RESOLUTION_MS / MILLISECONDS);
  return {
    min: late(histogram.min),
    max: late(histogram.max),
    mean: late(histogram.mean),
    stddev: Number.isFinite(histogram.stddev) ? histogram.stddev / NANOSECONDS : 0,
    p50: late(histogram.percentile(50)),
    p90: late(histogram.percentile(90)),
    p99: late(histogram.percentile(99)),
  };
}
