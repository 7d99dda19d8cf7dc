import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/core/time/clock.ts';
import type { DeadlineList } from '../../../../src/core/time/deadline-node.ts';
import { DeadlineNode } from '../../../../src/core/time/deadline-node.ts';
import { Deadlines, deadlinesFor, LATE_MS } from '../../../../src/core/time/deadlines.ts';
import { FakeClock } from '../../../../src/testing/index.ts';

class Noted extends DeadlineNode {
  readonly #expired: () => void;

  constructor(expired: () => void) {
    super();
    this.#expired = expired;
  }

  expire(): void {
    this.#expired();
  }
}

interface SetUp {
  readonly clock: FakeClock;
  readonly deadlines: Deadlines;
  readonly said: string[];
  /** Arms a deadline now. */
  readonly arm: (name: string, durationMs: number) => Noted;
}

function setUp(): SetUp {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock);
  const said: string[] = [];
  const lists = new Map<number, DeadlineList>();
  const arm = (name: string, durationMs: number): Noted => {
    const list = lists.get(durationMs) ?? deadlines.list(durationMs);
    lists.set(durationMs, list);
    const deadline = new Noted(() => said.push(`${name} at ${clock.now()}`));
    deadlines.arm(list, deadline, clock.now());
    return deadline;
  };
  return { clock, deadlines, said, arm };
}

/** The delays of all timers that are set from now on. @param onTimer called with each */
function delaysOf(clock: FakeClock, onTimer: () => void = () => {}): readonly number[] {
  const delays: number[] = [];
  const setTimer = clock.setTimer.bind(clock);
  clock.setTimer = (callback, delayMs) => {
    delays.push(delayMs);
    onTimer();
    return setTimer(callback, delayMs);
  };
  return delays;
}

describe('deadlines', () => {
  test('of all lengths share one timer, and expire in their time', async () => {
    const { clock, said, arm } = setUp();
    arm('slow', 100);
    arm('fast', 10);
    expect(clock.timers).toEqual({ running: 1, refed: 1 });
    await clock.advance(5);
    arm('later', 10);
    expect(clock.timers.running).toBe(1);
    await clock.advance(200);
    expect(said).toEqual(['fast at 10', 'later at 15', 'slow at 100']);
    expect(clock.timers.refed).toBe(0);
  });

  test('that are taken back do not expire, from whatever place in the list', async () => {
    const { clock, deadlines, said, arm } = setUp();
    const [first, , third, , fifth] = ['a', 'b', 'c', 'd', 'e'].map((name) => arm(name, 10));
    for (const deadline of [third, first, fifth, third]) if (deadline) deadlines.disarm(deadline);
    await clock.advance(10);
    expect(said).toEqual(['b at 10', 'd at 10']);
  });

  test('keep the process alive only while one is armed', async () => {
    const { clock, deadlines, arm } = setUp();
    const one = arm('a', 10);
    const other = arm('b', 10);
    deadlines.disarm(one);
    expect(clock.timers).toEqual({ running: 1, refed: 1 });
    deadlines.disarm(other);
    expect(clock.timers).toEqual({ running: 1, refed: 0 });
    arm('c', 10);
    expect(clock.timers).toEqual({ running: 1, refed: 1 });
    await clock.advance(10);
    expect(clock.timers).toEqual({ running: 0, refed: 0 });
  });

  test('are judged two turns later where the timer was late, and at once where it was hardly so', async () => {
    const hardly = setUp();
    hardly.arm('a', 10);
    hardly.clock.block(10 + LATE_MS);
    await hardly.clock.advance(0);
    expect(hardly.said).toEqual([`a at ${10 + LATE_MS}`]);
    const late = setUp();
    const saved = late.arm('saved', 10);
    late.arm('a', 10);
    late.clock.block(11 + LATE_MS);
    const setTimer = late.clock.setTimer.bind(late.clock);
    const turns: number[] = [];
    late.clock.setTimer = (callback, delayMs) => {
      turns.push(delayMs);
      if (turns.length === 2) late.deadlines.disarm(saved);
      return setTimer(callback, delayMs);
    };
    await late.clock.advance(0);
    expect([turns, late.said]).toEqual([[0, 0], [`a at ${11 + LATE_MS}`]]);
  });

  test('set their timer again only for one that is due before it', async () => {
    const { clock, arm } = setUp();
    const delays = delaysOf(clock);
    arm('first', 50);
    arm('same time', 50);
    arm('later', 60);
    // To the half of the time first.
    expect(delays).toEqual([25]);
    arm('after that half', 40);
    expect(delays).toEqual([25]);
    arm('sooner', 20);
    expect(delays).toEqual([25, 20]);
    await clock.advance(100);
    expect(delays).toEqual([25, 20, 20, 10, 10]);
  });

  test('blame the event loop only if it had no turn since they were armed', async () => {
    const blamed: number[] = [];
    class Blamed extends DeadlineNode {
      expire(lateMs: number): void {
        blamed.push(lateMs);
      }
    }
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const list = deadlines.list(1_000);
    deadlines.arm(list, new Blamed(), clock.now());
    clock.block(1_600);
    await clock.advance(0);
    deadlines.arm(list, new Blamed(), clock.now());
    await clock.advance(600);
    clock.block(1_000);
    await clock.advance(0);
    expect(blamed).toEqual([600, 0]);
  });

  test('give no turns for a timer that was as late as timers are', async () => {
    const { clock, said, arm } = setUp();
    const delays = delaysOf(clock);
    arm('a', 10);
    clock.block(10 + LATE_MS);
    await clock.advance(0);
    expect([delays, said]).toEqual([[10], [`a at ${10 + LATE_MS}`]]);
  });

  test('give no more turns when nobody is left to be judged', async () => {
    const { clock, deadlines, said, arm } = setUp();
    const saved = arm('saved', 10);
    const delays = delaysOf(clock, () => deadlines.disarm(saved));
    clock.block(11 + LATE_MS);
    await clock.advance(0);
    expect([delays, said]).toEqual([[0], []]);
    expect(clock.timers.running).toBe(0);
    arm('next', 10);
    await clock.advance(10);
    expect(said).toEqual([`next at ${21 + LATE_MS}`]);
  });

  test('are one set for each clock', () => {
    const clock = new FakeClock();
    expect(deadlinesFor(clock)).toBe(deadlinesFor(clock));
    expect(deadlinesFor(new FakeClock())).not.toBe(deadlinesFor(clock));
  });
});

describe("the machine's clock", () => {
  test('goes forward, and knows the date', () => {
    const before = systemClock.now();
    expect(systemClock.now()).toBeGreaterThanOrEqual(before);
    expect(systemClock.epoch()).toBeGreaterThan(Date.UTC(2026, 0, 1));
  });

  test('calls back once, and not at all where it is told so; its timers can let the process end', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancelled = systemClock.setTimer(() => expect.unreachable(), 0);
    cancelled.cancel();
    const busy = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = busy();
    const timer = systemClock.setTimer(resolve, 1);
    expect(busy() - before).toBe(1);
    timer.unref();
    expect(busy() - before).toBe(0);
    timer.ref();
    expect(busy() - before).toBe(1);
    await promise;
  });
});
