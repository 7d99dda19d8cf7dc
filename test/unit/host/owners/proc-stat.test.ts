import { describe, expect, test } from 'vitest';
import { processStatOf } from '../../../../src/host/owners/proc-stat.ts';
import { systemProcesses } from '../../../../src/host/owners/process-identity.ts';

const REST = 'S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 11 0 1202435 0 0';
const NOTHING = { state: undefined, threads: undefined, startTicks: undefined };

describe('/proc/<pid>/stat', () => {
  test.each(['node', 'a) b ) c', 'a b (c d)', ''])('is read behind the program name "%s"', (name) => {
    expect(processStatOf(`4711 (${name}) ${REST}`)).toEqual({
      state: 'S',
      threads: 11,
      startTicks: '1202435',
    });
  });

  test('has no figure where the text ends before it', () => {
    expect(processStatOf('4711 (node) S 1')).toEqual({ ...NOTHING, state: 'S' });
    expect(processStatOf('4711 (node)')).toEqual(NOTHING);
    expect(processStatOf('4711 (cut')).toEqual(NOTHING);
    expect(processStatOf('')).toEqual(NOTHING);
  });

  test('has no figure where a field is not a number', () => {
    expect(processStatOf(`4711 (node) ${REST.replace('1202435', '-1').replace(' 11 ', ' x ')}`)).toEqual({
      ...NOTHING,
      state: 'S',
    });
  });
});

describe('the processes of the machine', () => {
  test('include this one, with the start that its identity has', () => {
    const self = systemProcesses.self();
    expect(self.pid).toBe(process.pid);
    expect(systemProcesses.stat(process.pid)?.startTicks).toBe(self.startTicks);
  });

  test('do not include a number that no process can have', () => {
    expect(systemProcesses.stat(2 ** 30)).toBeUndefined();
  });
});
