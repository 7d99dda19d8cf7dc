import { describe, expect, it } from 'vitest';

import { cpuQuota, HostSampler, systemProbe } from '../../../src/host/index.ts';
import type { HostProbe } from '../../../src/host/index.ts';
import { eventually } from '../../support/otlp-receiver.ts';
import { FakeClock, settlePromises } from '../../../src/testing/fake-clock.ts';

const MEMORY = { source: 'container', limit: 100, used: 25, available: 75, utilization: 0.25 } as const;
const DISK = { path: '/data', limit: 10, used: 4, free: 4, reserved: 2, utilization: 0.5 } as const;

interface Machine extends HostProbe {
  busySeconds: number;
  cpuMicros: number;
  calls: number;
}

function machine(overrides: Partial<HostProbe> = {}): Machine {
  const probe: Machine = {
    busySeconds: 0,
    cpuMicros: 0,
    calls: 0,
    cpuTimes() {
      probe.calls += 1;
      return { logical: 2, time: { user: probe.busySeconds, nice: 0, system: 0, idle: 100, interrupt: 0 } };
    },
    processCpu: () => ({ user: probe.cpuMicros, system: 0 }),
    residentBytes: () => 1_000,
    uptimeSeconds: () => 5,
    memory: () => Promise.resolve(MEMORY),
    filesystem: () => Promise.resolve(DISK),
    openFiles: () => Promise.resolve(12),
    cpuLimit: () => Promise.resolve(0.5),
    ...overrides,
  };
  return probe;
}

const broken = (): never => {
  throw new Error('not on this platform');
};

describe('the host sampler', () => {
  it('takes a sample at the start and one each interval, on a timer that keeps no process alive', async () => {
    const clock = new FakeClock();
    const probe = machine();
    const sampler = new HostSampler({ clock, probe, intervalMs: 1_000, path: '/data' });
    sampler.start();
    sampler.start();
    expect(probe.calls).toBe(1);
    expect(clock.timers).toEqual({ running: 1, refed: 0 });
    await clock.advance(2_500);
    expect(probe.calls).toBe(3);
    sampler.stop();
    sampler.stop();
    await clock.advance(5_000);
    expect(probe.calls).toBe(3);
    expect(clock.timers.running).toBe(0);
  });

  it('gives every reader the same last sample', async () => {
    const sampler = new HostSampler({ clock: new FakeClock(), probe: machine(), path: '/data' });
    await sampler.sample();
    expect(sampler.latest).toBe(sampler.latest);
    expect(sampler.latest).toMatchObject({
      memory: MEMORY,
      filesystem: DISK,
      process: { memory: 1_000, uptime: 5, openFiles: 12 },
    });
  });

  it('takes shares of the processors as the difference between two samples', async () => {
    const clock = new FakeClock();
    const probe = machine();
    const sampler = new HostSampler({ clock, probe });
    await sampler.sample();
    expect(sampler.latest?.cpu?.utilization).toBeUndefined();
    expect(sampler.latest?.process?.cpuUtilization).toBeUndefined();
    probe.busySeconds = 3;
    probe.cpuMicros = 250_000;
    await clock.advance(1_000);
    await sampler.sample();
    expect(sampler.latest?.cpu?.utilization).toMatchObject({ user: 1, idle: 0 });
    // A quarter of a second in one second, of half a processor.
    expect(sampler.latest?.process?.cpuUtilization).toEqual({ user: 0.5, system: 0 });
  });

  it('leaves out what the platform does not tell, field by field', async () => {
    const fields: (keyof HostProbe)[] = [
      'cpuTimes',
      'processCpu',
      'memory',
      'filesystem',
      'openFiles',
      'cpuLimit',
    ];
    const sampler = new HostSampler({
      probe: machine(Object.fromEntries(fields.map((field) => [field, broken]))),
      path: '/data',
    });
    await sampler.sample();
    expect(sampler.latest).toMatchObject({
      cpu: undefined,
      memory: undefined,
      filesystem: undefined,
      process: undefined,
    });
    expect(sampler.latest?.eventLoop).toBeDefined();
  });

  it('goes on without a file system that hangs, and asks it once', async () => {
    let asked = 0;
    const hanging = (): Promise<never> => {
      asked += 1;
      return new Promise(() => {});
    };
    const sampler = new HostSampler({ probe: machine({ filesystem: hanging }), path: '/data' });
    void sampler.sample();
    await settlePromises();
    void sampler.sample();
    await settlePromises();
    expect(asked).toBe(1);
    expect(sampler.latest).toMatchObject({ memory: MEMORY, filesystem: undefined });
  });

  it('reads the processor quota of a container', () => {
    expect(cpuQuota('50000 100000\n')).toBe(0.5);
    expect(cpuQuota('max 100000\n')).toBeUndefined();
    expect(cpuQuota('-1 100000')).toBeUndefined();
    expect(cpuQuota(undefined)).toBeUndefined();
  });

  it('tells this machine within its bounds', async () => {
    const sampler = new HostSampler({ path: process.cwd() });
    sampler.start();
    await eventually(() => sampler.latest?.filesystem !== undefined, 'the first sample');
    sampler.stop();
    const sample = sampler.latest;
    expect(sample?.memory?.limit).toBeGreaterThan(0);
    expect(sample?.memory?.used).toBeLessThanOrEqual(sample?.memory?.limit ?? 0);
    expect(sample?.filesystem?.utilization).toBeGreaterThan(0);
    expect(sample?.filesystem?.utilization).toBeLessThanOrEqual(1);
    expect(sample?.process?.memory).toBeGreaterThan(1_000_000);
    expect(sample?.process?.cpuLimit).toBeGreaterThan(0);
    expect(sample?.eventLoop?.utilization).toBeGreaterThanOrEqual(0);
    expect(sample?.eventLoop?.utilization).toBeLessThanOrEqual(1);
    expect(sample?.cpu?.logical).toBe(systemProbe.cpuTimes().logical);
  });
});
