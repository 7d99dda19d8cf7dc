import { systemClock } from '../core/time/clock.ts';
import type { Clock, Timer } from '../core/time/clock.ts';
import { Background } from './background.ts';
import { EventLoopWatch } from './event-loop.ts';
import { makeSystemProbe } from './probe.ts';
import type { HostProbe } from './probe.ts';
import type { CpuTimes } from './proc-text.ts';
import { CPU_MODES } from './sample.ts';
import type { ContainerSample, CpuSample, EventLoopSample, HostSample, ProcessSample } from './sample.ts';

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

/** What takes longer: each part is fetched by itself and in its turn, so that one that fails or hangs leaves the others. */
interface Parts {
  readonly eventLoop: Background<EventLoopSample>;
  readonly processFiles: Background<Awaited<ReturnType<HostProbe['processFiles']>>>;
  readonly cpu: Background<CpuSample>;
  readonly memory: Background<Awaited<ReturnType<HostProbe['memory']>>>;
  readonly pressure: Background<Awaited<ReturnType<HostProbe['pressure']>>>;
  readonly container: Background<ContainerSample | undefined>;
  readonly filesystem?: Background<Awaited<ReturnType<HostProbe['filesystem']>>> | undefined;
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
  readonly #parallelism: number;
  readonly #parts: Parts;
  readonly #eventLoop = new EventLoopWatch();
  #timer: Timer | undefined;
  #cpuBefore: CpuTimes | undefined;
  #containerBefore: { readonly at: number; readonly seconds: number } | undefined;
  #processBefore: { readonly at: number; readonly user: number; readonly system: number } | undefined;
  #latest: HostSample | undefined;

  constructor(options: HostSamplerOptions = {}) {
    this.#intervalMs = options.intervalMs ?? DEFAULT_SAMPLE_INTERVAL_MS;
    this.#clock = options.clock ?? systemClock;
    const probe = options.probe ?? makeSystemProbe();
    this.#probe = probe;
    const path = options.path;
    this.#parallelism = attempt(() => probe.parallelism()) ?? 1;
    this.#parts = {
      eventLoop: new Background(() => Promise.resolve(this.#eventLoop.sample())),
      processFiles: new Background(() => probe.processFiles()),
      cpu: new Background(() => this.#sampleCpu()),
      memory: new Background(() => probe.memory()),
      pressure: new Background(() => probe.pressure()),
      container: new Background(() => this.#sampleContainer()),
      filesystem: path === undefined ? undefined : new Background(() => probe.filesystem(path)),
    };
  }

  /** The last sample; `undefined` before the first. */
  get latest(): HostSample | undefined {
    return this.#latest;
  }

  /** Takes the first sample and starts the timer. Calling it again does nothing. */
  start(): void {
    if (this.#timer) return;
    attempt(() => this.#eventLoop.start());
    this.#schedule();
    void this.sample();
  }

  /** Stops the timer; the last sample stays. Calling it again does nothing. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#eventLoop.stop();
  }

  /**
   * Takes one sample now. What the process tells at once is there when this returns, the rest when the promise settles.
   * @returns a promise that never rejects; it hangs as long as the kernel does (a dead network file system)
   */
  async sample(): Promise<void> {
    const at = this.#clock.epoch();
    const own = {
      at,
      load: attempt(() => this.#probe.load()),
      process: attempt(() => this.#sampleProcess()),
      heap: attempt(() => this.#probe.heap()),
    };
    const parts = this.#parts;
    const publish = (): void => {
      // A slow answer of an earlier sample must not cover a later one.
      if (this.#latest && this.#latest.at > at) return;
      this.#latest = {
        ...own,
        eventLoop: parts.eventLoop.value,
        cpu: parts.cpu.value,
        memory: parts.memory.value,
        pressure: parts.pressure.value,
        container: parts.container.value,
        filesystem: parts.filesystem?.value,
        process: own.process && { ...own.process, ...parts.processFiles.value },
      };
    };
    publish();
    // One after another: each read starts in a turn of its own, so that no turn is held for long. What can hang comes last.
    await parts.processFiles.refresh();
    await parts.eventLoop.refresh();
    await parts.cpu.refresh();
    await parts.memory.refresh();
    await parts.pressure.refresh();
    await parts.container.refresh();
    await parts.filesystem?.refresh();
    publish();
  }

  #schedule(): void {
    this.#timer = this.#clock.setTimer(() => {
      this.#schedule();
      void this.sample();
    }, this.#intervalMs);
    this.#timer.unref();
  }

  async #sampleCpu(): Promise<CpuSample> {
    const now = await this.#probe.cpuTimes();
    const before = this.#cpuBefore;
    this.#cpuBefore = now;
    return { logical: now.logical, time: now.time, utilization: before && shares(before.time, now.time) };
  }

  async #sampleContainer(): Promise<ContainerSample | undefined> {
    const reading = await this.#probe.container();
    const time = reading?.cpu?.time;
    const before = this.#containerBefore;
    const now = time && { at: this.#clock.now(), seconds: time.user + time.system };
    this.#containerBefore = now;
    const elapsed = now && before ? (now.at - before.at) / 1_000 : 0;
    return (
      reading && {
        ...reading,
        cpuUsage:
          now && before && elapsed > 0 ? Math.max(0, now.seconds - before.seconds) / elapsed : undefined,
      }
    );
  }

  #sampleProcess(): ProcessSample {
    const { user, system, contextSwitches, pageFaults } = this.#probe.processUsage();
    const at = this.#clock.now();
    const before = this.#processBefore;
    this.#processBefore = { at, user, system };
    const cpuLimit = Math.min(
      this.#parallelism,
      this.#parts.container.value?.cpu?.limit ?? Number.POSITIVE_INFINITY,
    );
    const elapsed = before === undefined ? 0 : ((at - before.at) / 1_000) * cpuLimit;
    const share = (used: number): number => Math.min(1, Math.max(0, used / elapsed));
    return {
      cpuUser: user,
      cpuSystem: system,
      cpuUtilization:
        before && elapsed > 0
          ? { user: share(user - before.user), system: share(system - before.system) }
          : undefined,
      cpuLimit,
      memory: this.#probe.residentBytes(),
      uptime: this.#probe.uptimeSeconds(),
      contextSwitches,
      pageFaults,
    };
  }
}

function shares(before: CpuTimes['time'], now: CpuTimes['time']): CpuSample['utilization'] {
  const used = CPU_MODES.flatMap((mode) => {
    const seconds = now[mode];
    return seconds === undefined ? [] : [[mode, Math.max(0, seconds - (before[mode] ?? 0))] as const];
  });
  const total = used.reduce((sum, [, seconds]) => sum + seconds, 0);
  return total > 0 ? Object.fromEntries(used.map(([mode, seconds]) => [mode, seconds / total])) : undefined;
}
