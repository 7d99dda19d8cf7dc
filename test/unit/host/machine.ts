import type { HostProbe } from '../../../src/host/index.ts';

/** What the machine of these tests tells. */
export const MEMORY = {
  limit: 100,
  used: 25,
  available: 75,
  utilization: 0.25,
  swap: { used: 1, free: 9 },
} as const;
export const DISK = {
  path: '/data',
  limit: 10,
  used: 4,
  free: 4,
  reserved: 2,
  utilization: 0.5,
  inodes: { used: 3, free: 7 },
} as const;
export const PRESSURE = {
  cpu: { some: { share: 0.5, seconds: 12 }, full: { share: 0, seconds: 0 } },
  memory: { some: { share: 0.1, seconds: 3 }, full: { share: 0.05, seconds: 1 } },
  io: { some: { share: 0.2, seconds: 4 }, full: { share: 0.1, seconds: 2 } },
} as const;

/** A probe whose figures a test sets. */
export interface Machine extends HostProbe {
  busySeconds: number;
  cpuSeconds: number;
  containerSeconds: number;
  calls: number;
}

/** A machine with everything; `overrides` takes parts of it away. */
export function machine(overrides: Partial<HostProbe> = {}): Machine {
  const probe: Machine = {
    busySeconds: 0,
    cpuSeconds: 0,
    containerSeconds: 0,
    calls: 0,
    processUsage() {
      probe.calls += 1;
      return {
        user: probe.cpuSeconds,
        system: 0,
        contextSwitches: { voluntary: 20, involuntary: 10 },
        pageFaults: { major: 1, minor: 100 },
      };
    },
    residentBytes: () => 1_000,
    uptimeSeconds: () => 5,
    parallelism: () => 2,
    heap: () => ({
      limit: 4_000,
      spaces: [{ name: 'old_space', size: 40, used: 30, available: 10, physical: 35 }],
    }),
    load: () => [3, 2, 1],
    cpuTimes: () =>
      Promise.resolve({
        logical: 2,
        time: { user: probe.busySeconds, nice: 0, system: 0, idle: 100, iowait: 0, interrupt: 0, steal: 0 },
      }),
    memory: () => Promise.resolve(MEMORY),
    pressure: () => Promise.resolve(PRESSURE),
    container: () =>
      Promise.resolve({
        memory: { limit: 50, usage: 40, workingSet: 30 },
        cpu: {
          limit: 0.5,
          time: { user: probe.containerSeconds, system: 0 },
          throttling: { periods: 100, throttledPeriods: 25, throttledSeconds: 1.5 },
        },
        pressure: PRESSURE,
      }),
    filesystem: () => Promise.resolve(DISK),
    processFiles: () => Promise.resolve({ openFiles: 12, openFileLimit: 1_024, threads: 11 }),
    ...overrides,
  };
  return probe;
}

const broken = (): never => {
  throw new Error('not on this platform');
};

/** A machine that tells nothing at all. */
export function bareMachine(): HostProbe {
  return {
    processUsage: broken,
    residentBytes: broken,
    uptimeSeconds: broken,
    parallelism: broken,
    heap: broken,
    load: broken,
    cpuTimes: () => Promise.reject(new Error('not on this platform')),
    memory: broken,
    pressure: broken,
    container: broken,
    filesystem: broken,
    processFiles: broken,
  };
}
