import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { JournalBench, line } from './journal-bench.ts';
import type { Process } from './journal-bench.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const HERE = 'pid:[1]';
const THERE = 'pid:[2]';

/** Appends lines that no lane holds. */
function leave({ traces }: Process, ...numbers: number[]): void {
  for (const number of numbers) {
    const { place } = traces.append(line(number), 1);
    if (place) traces.release(place);
  }
}

const nothingLost = ({ counts, warnings }: Process): void => {
  const { dropped } = counts.snapshot().traces;
  expect(Object.values(dropped).every((items) => items === 0)).toBe(true);
  expect(warnings).toEqual([]);
};

/** Lets the heartbeat of a process reach its lock: a new file has the time of the machine, not that of the bench. */
const beat = (...clocks: readonly FakeClock[]): Promise<unknown> =>
  Promise.all(clocks.map((clock) => clock.advance(10_000)));

describe('a process that is stopped (SIGSTOP), beside one of another container', () => {
  test('is taken over after 90 s, wakes up with nothing lost, and at most what it was sending comes twice', async () => {
    using bench = new JournalBench();
    const stopped = new FakeClock(bench.clock.epoch());
    const one = bench.start(1, { clock: stopped, pidNamespace: HERE });
    const two = bench.start(2, { pidNamespace: THERE });
    leave(one, 1, 2);
    leave(two, 10);
    const sending = one.traces.next();
    await beat(bench.clock, stopped);
    await bench.clock.advance(60_000);
    expect(two.drain()).toEqual([10]);
    await bench.clock.advance(60_000);
    expect(two.drain()).toEqual([1, 2]);

    await stopped.advance(120_000);
    if (sending) one.traces.settle(sending.place, sending.items);
    leave(one, 3);
    expect(one.drain()).toEqual([3]);
    await beat(bench.clock, stopped);
    await bench.clock.advance(120_000);
    await stopped.advance(120_000);
    expect([...one.drain(), ...two.drain()]).toEqual([]);
    nothingLost(one);
    nothingLost(two);
  });

  test('leaves no cursor behind when it ends soon after it woke up', async () => {
    using bench = new JournalBench();
    const stopped = new FakeClock(bench.clock.epoch());
    const one = bench.start(1, { clock: stopped, pidNamespace: HERE });
    leave(one, 1, 2);
    const sending = one.traces.next();
    await beat(bench.clock, stopped);
    const two = bench.start(2, { pidNamespace: THERE });
    await bench.clock.advance(130_000);
    expect(two.drain()).toEqual([1, 2]);
    stopped.block(130_000);
    if (sending) one.traces.settle(sending.place, sending.items);
    await stopped.advance(20_000);
    one.journal.close();
    await stopped.advance(10_000);
    expect(bench.list('owners').filter((name) => name.startsWith('1-'))).toEqual([]);
    nothingLost(one);
  });

  test('does not write into a segment that another process has now', async () => {
    using bench = new JournalBench();
    const stopped = new FakeClock(bench.clock.epoch());
    const one = bench.start(1, { clock: stopped, pidNamespace: HERE });
    leave(one, 1);
    await beat(bench.clock, stopped);
    const two = bench.start(2, { pidNamespace: THERE });
    await bench.clock.advance(130_000);
    leave(one, 2);
    expect(one.drain()).toEqual([2]);
    expect(two.drain()).toEqual([1]);
    one.journal.close();
    nothingLost(one);
    const three = bench.start(3, { pidNamespace: THERE });
    await bench.clock.advance(130_000);
    expect([...two.drain(), ...three.drain()]).toEqual([]);
  });
});

describe.each([
  ['an hour back', -HOUR],
  ['a day forward', DAY],
])('a wall clock that jumps %s', (_, jump) => {
  test.each([
    ['in one container', HERE],
    ['in two', THERE],
  ])(
    'loses nothing of processes %s, and at most what was being sent comes twice',
    async (_where, pidNamespace) => {
      using bench = new JournalBench();
      const one = bench.start(1);
      const two = bench.start(2, { pidNamespace });
      leave(one, 1, 2);
      leave(two, 11, 12);
      const sending = one.traces.next();
      // Between a heartbeat and a look: the locks of both have the time of before when each looks at the other's.
      await bench.clock.advance(30_500);
      bench.clock.shiftEpoch(jump);
      leave(one, 3);
      leave(two, 13);
      await bench.clock.advance(120_000);
      if (sending) one.traces.settle(sending.place, sending.items);
      leave(one, 4);
      await bench.clock.advance(120_000);
      const all = [...one.drain(), ...two.drain()].sort((a, b) => a - b);
      expect(all.filter((number) => number !== 1)).toEqual([2, 3, 4, 11, 12, 13]);
      nothingLost(one);
      nothingLost(two);
    },
  );

  test('holds back nothing that a dead process left, and ends segments at their age', async () => {
    using bench = new JournalBench();
    const one = bench.start(1);
    leave(one, 1);
    await beat(bench.clock);
    bench.kill(1);
    const two = bench.start(2);
    leave(two, 2);
    bench.clock.shiftEpoch(jump);
    await bench.clock.advance(1_000);
    expect(bench.list('traces').filter((name) => !name.includes('-2-'))).toEqual([]);
    await bench.clock.advance(300_000);
    leave(two, 3);
    expect(bench.list('traces')).toHaveLength(3);
    expect(two.drain().toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    nothingLost(two);
  });
});
