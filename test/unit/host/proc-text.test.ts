import { describe, expect, test } from 'vitest';
import { cpuTimesOf, memoryInfoOf, openFileLimitOf, pressureOf } from '../../../src/host/proc-text.ts';

describe('the files below /proc', () => {
  test('tell the processor times of all modes in seconds, interrupts of both kinds together', () => {
    const stat = `cpu  100 200 300 4000 50 6 7 8 0 0
cpu0 50 100 150 2000 25 3 3 4 0 0
cpu1 50 100 150 2000 25 3 4 4 0 0
intr 12345 0 9 0
ctxt 991
`;
    expect(cpuTimesOf(stat)).toEqual({
      logical: 2,
      time: { user: 1, nice: 2, system: 3, idle: 40, iowait: 0.5, interrupt: 0.13, steal: 0.08 },
    });
  });

  test('tell what an old kernel has of the modes', () => {
    expect(cpuTimesOf('cpu  100 0 0 100\ncpu0 100 0 0 100\n')).toEqual({
      logical: 1,
      time: { user: 1, nice: 0, system: 0, idle: 1 },
    });
    expect(cpuTimesOf('cpu  100 0 0 100\n')).toBeUndefined();
    expect(cpuTimesOf('')).toBeUndefined();
  });

  test('tell memory and swap in bytes', () => {
    const meminfo = `MemTotal:       24684084 kB
MemFree:        23486000 kB
MemAvailable:   24000000 kB
SwapTotal:       1024 kB
SwapFree:         512 kB
`;
    expect(memoryInfoOf(meminfo)).toEqual({
      total: 24_684_084 * 1_024,
      available: 24_000_000 * 1_024,
      swapTotal: 1_024 * 1_024,
      swapFree: 512 * 1_024,
    });
  });

  test('tell how many files may be open', () => {
    const limits = `Limit                     Soft Limit           Hard Limit           Units
Max processes             96365                96365                processes
Max open files            1024                 524288               files
`;
    expect(openFileLimitOf(limits)).toBe(1_024);
    expect(openFileLimitOf(limits.replace('1024      ', 'unlimited '))).toBeUndefined();
  });

  test('tell the pressure as shares and seconds', () => {
    const text = `some avg10=12.50 avg60=0.29 avg300=0.87 total=2388798235
full avg10=0.50 avg60=0.00 avg300=0.00 total=1500000
`;
    expect(pressureOf(text)).toEqual({
      some: { share: 0.125, seconds: 2_388.798235 },
      full: { share: 0.005, seconds: 1.5 },
    });
    expect(pressureOf(text.split('\n')[0] ?? '')).toMatchObject({ full: undefined });
    expect(pressureOf('')).toBeUndefined();
  });
});
