import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { ELDHistogram, EventLoopUtilization } from 'node:perf_hooks';

import { systemClock } from '../core/clock.ts';
import type { Clock, Timer } from '../core/clock.ts';
import { systemProbe } from './probe.ts';
import type { CpuTimes, HostProbe } from './probe.ts';
import { CPU_MODES } from './sample.ts';
import type {
  CpuMode,
  CpuSample,
  EventLoopSample,
  FilesystemSample,
  HostSample,
  MemorySample,
  ProcessSample,
} from './sample.ts';

/** What a {@link HostSampler} is made of. */
export interface HostSamplerOptions {
  /** Milliseconds between samples, 100 to 2^31-1. @defaultValue 5000 */
  readonly intervalMs?: number;
  /** The path whose file system is sampled; absent for none. It need not exist yet: then the field is absent. */
  readonly path?: string | undefined;
  /** @defaultValue the machine's clock */
  readonly clock?: Clock;
  /** @defaultValue the machine */
  readonly probe?: HostProbe;
}

/** Milliseconds between samples where nothing is said. */
export const DEFAULT_SAMPLE_INTERVAL_MS = 5_000;

const DELAY_RESOLUTION_MS = 10;
const NANOSECONDS = 1e9;
const MICROSECONDS = 1e6;

/** A figure that is fetched in the background: one fetch at a time, and gone when the last one failed or hangs. */
class Background<T> {
  readonly #fetch: () => Promise<T>;
  #pending = false;
  #missed = 0;
  value: T | undefined;

  constructor(fetch: () => Promise<T>) {
    this.#fetch = fetch;
  }

  refresh(): Promise<void> {
    if (this.#pending) {
      this.#missed += 1;
      if (this.#missed > 1) this.value = undefined;
      return Promise.resolve();
    }
    this.#pending = true;
    this.#missed = 0;
    return this.#run();
  }

  async #run(): Promise<void> {
    try {
      this.value = await this.#fetch();
    } catch {
      this.value = undefined;
    } finally {
      this.#pending = false;
    }
  }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/**
 * Samples the machine, the container and the process on one timer of its own. However many readers there are, they see the last sample:
 * figures that are a difference since "the last time" would otherwise be torn apart between the readers.
 *
 * The timer does not keep the process alive, no child process is started, and nothing here throws.
 */
export class HostSampler {
  readonly #intervalMs: number;
  readonly #clock: Clock;
  readonly #probe: HostProbe;
  readonly #memory: Background<MemorySample>;
  readonly #filesystem: Background<FilesystemSample> | undefined;
  readonly #openFiles: Background<number>;
  readonly #cpuLimit: Background<number>;
  #timer: Timer | undefined;
  #histogram: ELDHistogram | undefined;
  #loop: EventLoopUtilization | undefined;
  #cpu: CpuTimes | undefined;
  #process: { readonly at: number; readonly user: number; readonly system: number } | undefined;
  #latest: HostSample | undefined;

  constructor(options: HostSamplerOptions = {}) {
    this.#intervalMs = options.intervalMs ?? DEFAULT_SAMPLE_INTERVAL_MS;
    this.#clock = options.clock ?? systemClock;
    const probe = options.probe ?? systemProbe;
    this.#probe = probe;
    const path = options.path;
    this.#memory = new Background(() => probe.memory());
    this.#filesystem = path === undefined ? undefined : new Background(() => probe.filesystem(path));
    this.#openFiles = new Background(() => probe.openFiles());
    this.#cpuLimit = new Background(() => probe.cpuLimit());
  }

  /** The last sample; `undefined` before the first. */
  get latest(): HostSample | undefined {
    return this.#latest;
  }

  /** Takes the first sample and starts the timer. Calling it again does nothing. */
  start(): void {
    if (this.#timer) return;
    this.#histogram = attempt(() => {
      const histogram = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
      histogram.enable();
      return histogram;
    });
    this.#schedule();
    void this.sample();
  }

  /** Stops the timer; the last sample stays. Calling it again does nothing. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#histogram?.disable();
    this.#histogram = undefined;
  }

  /**
   * Takes one sample now. What the process tells itself is there when this returns, what the kernel is asked for when the promise settles.
   * @returns a promise that never rejects; it hangs as long as the kernel does (a dead network file system)
   */
  async sample(): Promise<void> {
    const cpu = attempt(() => this.#sampleCpu());
    const ownProcess = attempt(() => this.#sampleProcess());
    const eventLoop = attempt(() => this.#sampleEventLoop());
    const at = this.#clock.epoch();
    const publish = (): void => {
      // A slow answer of an earlier sample must not cover a later one.
      if (this.#latest && this.#latest.at > at) return;
      this.#latest = {
        at,
        cpu,
        memory: this.#memory.value,
        filesystem: this.#filesystem?.value,
        process: ownProcess && { ...ownProcess, openFiles: this.#openFiles.value },
        eventLoop,
      };
    };
    publish();
    // One after another: each starts in a turn of its own, so that no turn is held for long. What can hang comes last.
    await this.#openFiles.refresh();
    await this.#memory.refresh();
    if (this.#cpuLimit.value === undefined) await this.#cpuLimit.refresh();
    await this.#filesystem?.refresh();
    publish();
  }

  #schedule(): void {
    this.#timer = this.#clock.setTimer(() => {
      this.#schedule();
      void this.sample();
    }, this.#intervalMs);
    this.#timer.unref();
  }

  #sampleCpu(): CpuSample {
    const now = this.#probe.cpuTimes();
    const before = this.#cpu;
    this.#cpu = now;
    return { logical: now.logical, time: now.time, utilization: before && shares(before.time, now.time) };
  }

  #sampleProcess(): ProcessSample {
    const now = this.#probe.processCpu();
    const at = this.#clock.now();
    const before = this.#process;
    this.#process = { at, user: now.user, system: now.system };
    const cpuLimit = this.#cpuLimit.value ?? this.#cpu?.logical ?? 1;
    const elapsed = before === undefined ? 0 : ((at - before.at) / 1_000) * cpuLimit;
    const share = (used: number): number => Math.min(1, Math.max(0, used / MICROSECONDS / elapsed));
    return {
      cpuUser: now.user / MICROSECONDS,
      cpuSystem: now.system / MICROSECONDS,
      cpuUtilization:
        before && elapsed > 0
          ? { user: share(now.user - before.user), system: share(now.system - before.system) }
          : undefined,
      cpuLimit,
      memory: this.#probe.residentBytes(),
      uptime: this.#probe.uptimeSeconds(),
    };
  }

  #sampleEventLoop(): EventLoopSample {
    const now = performance.eventLoopUtilization();
    const since = this.#loop ? performance.eventLoopUtilization(now, this.#loop) : now;
    this.#loop = now;
    const sample = {
      delay: this.#histogram && delayOf(this.#histogram),
      utilization: since.utilization,
      active: now.active / 1_000,
      idle: now.idle / 1_000,
    };
    this.#histogram?.reset();
    return sample;
  }
}

function shares(
  before: Readonly<Record<CpuMode, number>>,
  now: Readonly<Record<CpuMode, number>>,
): Record<CpuMode, number> | undefined {
  const used = CPU_MODES.map((mode) => [mode, Math.max(0, now[mode] - before[mode])] as const);
  const total = used.reduce((sum, [, seconds]) => sum + seconds, 0);
  if (total <= 0) return undefined;
  const result: Record<CpuMode, number> = { user: 0, nice: 0, system: 0, idle: 0, interrupt: 0 };
  for (const [mode, seconds] of used) result[mode] = seconds / total;
  return result;
}

/** Node's histogram holds the whole distance between two ticks: what is past the resolution is the delay. */
function delayOf(histogram: ELDHistogram): EventLoopSample['delay'] {
  if (histogram.count === 0) return undefined;
  const late = (nanoseconds: number): number =>
    Math.max(0, nanoseconds / NANOSECONDS - DELAY_RESOLUTION_MS / 1_000);
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
