import { cpus } from 'node:os';
import { describe, expect, test } from 'vitest';
import { HostSampler } from '../../../src/host/index.ts';
import { makeSystemProbe } from '../../../src/host/probe.ts';
import { readText } from '../../../src/host/read-text.ts';
import { FakeClock, settlePromises } from '../../../src/testing/fake-clock.ts';
import { eventually } from '../../support/otlp-receiver.ts';
import { bareMachine, DISK, machine, MEMORY, PRESSURE } from './machine.ts';

describe('the host sampler', () => {
  test('takes a sample at the start and one each interval, on a timer that keeps no process alive', async () => {
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

  test('gives every reader the same last sample', async () => {
    const sampler = new HostSampler({ clock: new FakeClock(), probe: machine(), path: '/data' });
    await sampler.sample();
    expect(sampler.latest).toBe(sampler.latest);
    expect(sampler.latest).toMatchObject({
      load: [3, 2, 1],
      memory: MEMORY,
      pressure: PRESSURE,
      container: { memory: { limit: 50, workingSet: 30 }, cpu: { limit: 0.5 } },
      filesystem: DISK,
      process: { memory: 1_000, uptime: 5, openFiles: 12, openFileLimit: 1_024, threads: 11 },
      heap: { limit: 4_000 },
    });
  });

  test('takes shares of the processors as the difference between two samples', async () => {
    const clock = new FakeClock();
    const probe = machine();
    const sampler = new HostSampler({ clock, probe });
    await sampler.sample();
    expect(sampler.latest?.cpu?.utilization).toBeUndefined();
    expect(sampler.latest?.process?.cpuUtilization).toBeUndefined();
    expect(sampler.latest?.container?.cpuUsage).toBeUndefined();
    probe.busySeconds = 3;
    probe.cpuSeconds = 0.25;
    probe.containerSeconds = 0.4;
    await clock.advance(1_000);
    await sampler.sample();
    expect(sampler.latest?.cpu?.utilization).toMatchObject({ user: 1, idle: 0 });
    // A quarter of a second in one second, of half a processor.
    expect(sampler.latest?.process?.cpuUtilization).toEqual({ user: 0.5, system: 0 });
    expect(sampler.latest?.container?.cpuUsage).toBeCloseTo(0.4);
  });

  test('leaves out what the platform does not tell, field by field', async () => {
    const whole = machine();
    for (const field of [
      'load',
      'heap',
      'cpuTimes',
      'memory',
      'pressure',
      'container',
      'filesystem',
    ] as const) {
      const sampler = new HostSampler({
        clock: new FakeClock(),
        probe: { ...whole, [field]: bareMachine()[field] },
        path: '/data',
      });
      await sampler.sample();
      await sampler.sample();
      const absent = Object.entries(sampler.latest ?? {}).filter(([, value]) => value === undefined);
      expect(absent.map(([name]) => name)).toEqual([field === 'cpuTimes' ? 'cpu' : field]);
    }
  });

  test('tells the event loop where the platform tells nothing', async () => {
    const sampler = new HostSampler({ probe: bareMachine(), path: '/data' });
    sampler.start();
    await sampler.sample();
    sampler.stop();
    const known = Object.entries(sampler.latest ?? {}).filter(([, value]) => value !== undefined);
    expect(known.map(([name]) => name).toSorted()).toEqual(['at', 'eventLoop']);
  });

  test('goes on without a file system that hangs, and asks it once', async () => {
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

  test('tells this machine within its bounds', async () => {
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
    expect(sample?.heap?.spaces.map(({ name }) => name)).toContain('old_space');
    expect(sample?.cpu?.logical).toBe(cpus().length);
    expect(sample?.cpu?.time.idle).toBeGreaterThan(0);
  });
});

describe('what a sample costs', () => {
  const MACHINE_READS = ['/proc/self/limits', '/proc/self/stat', '/proc/stat', '/proc/meminfo'];

  test('is a fixed number of small reads, one at a time, each in a turn of its own', async () => {
    let running = 0;
    let atOnce = 0;
    let inOneTurn = 0;
    let inThisTurn = 0;
    const paths: string[] = [];
    const probe = makeSystemProbe(async (path) => {
      paths.push(path);
      running += 1;
      atOnce = Math.max(atOnce, running);
      inThisTurn += 1;
      setImmediate(() => {
        inOneTurn = Math.max(inOneTurn, inThisTurn);
        inThisTurn = 0;
      });
      const text = await readText(path);
      running -= 1;
      return text;
    });
    const sampler = new HostSampler({ probe, path: process.cwd() });
    await sampler.sample();
    const looked = paths.splice(0);
    await sampler.sample();
    expect(paths).toEqual(expect.arrayContaining(MACHINE_READS));
    // Four of the machine, three of its pressure, at most four of the container and three of its pressure.
    expect(paths.length).toBeLessThanOrEqual(14);
    expect(looked.length).toBeGreaterThan(paths.length);
    expect({ atOnce, inOneTurn }).toEqual({ atOnce: 1, inOneTurn: 1 });
  });

  test('asks the system of each processor only where /proc/stat is missing', async () => {
    const elsewhere = makeSystemProbe(() => Promise.resolve(undefined), 'darwin');
    const times = await elsewhere.cpuTimes();
    expect(times.logical).toBe(cpus().length);
    expect(times.time).not.toHaveProperty('iowait');
    expect((await elsewhere.memory()).limit).toBeGreaterThan(0);
    expect(await elsewhere.pressure()).toBeUndefined();
    expect(await elsewhere.container()).toBeUndefined();
  });

  test('leaves out on Windows what Windows does not count', () => {
    const windows = makeSystemProbe(() => Promise.resolve(undefined), 'win32');
    expect(windows.load()).toBeUndefined();
    expect(windows.processUsage()).toMatchObject({ contextSwitches: undefined, pageFaults: undefined });
    expect(windows.processUsage().user).toBeGreaterThan(0);
  });
});
