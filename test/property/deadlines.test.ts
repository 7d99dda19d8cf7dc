import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DeadlineNode } from '../../src/core/time/deadline-node.ts';
import { Deadlines } from '../../src/core/time/deadlines.ts';
import { FakeClock } from '../../src/testing/index.ts';

class Recorded extends DeadlineNode {
  expiredAt: number | undefined = undefined;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    super();
    this.#clock = clock;
  }

  expire(): void {
    this.expiredAt = this.#clock.now();
  }
}

const step = fc.oneof(
  fc.record({ type: fc.constant('arm' as const), durationMs: fc.constantFrom(5, 10, 50, 200) }),
  fc.record({ type: fc.constant('disarm' as const), index: fc.nat(50) }),
  fc.record({ type: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 60 }) }),
);

test('every armed deadline expires at its time and no disarmed one does, on one timer', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = new FakeClock();
      const deadlines = new Deadlines(clock);
      const all: { deadline: Recorded; dueAt: number; disarmedAt: number | undefined }[] = [];
      for (const action of steps) {
        if (action.type === 'arm') {
          const deadline = new Recorded(clock);
          deadlines.arm(deadlines.list(action.durationMs), deadline, clock.now());
          all.push({ deadline, dueAt: clock.now() + action.durationMs, disarmedAt: undefined });
        } else if (action.type === 'disarm') {
          const entry = all[action.index % Math.max(1, all.length)];
          if (!entry) continue;
          deadlines.disarm(entry.deadline);
          entry.disarmedAt ??= clock.now();
        } else {
          await clock.advance(action.ms);
        }
        expect(clock.timers.running).toBeLessThanOrEqual(1);
      }
      const armed = all.filter(({ deadline }) => deadline.deadlineList !== undefined);
      expect(clock.timers.refed).toBe(armed.length > 0 ? 1 : 0);
      await clock.advance(1_000);
      for (const { deadline, dueAt, disarmedAt } of all) {
        const expected = disarmedAt !== undefined && disarmedAt < dueAt ? undefined : dueAt;
        expect(deadline.expiredAt).toBe(expected);
      }
      expect(clock.timers.refed).toBe(0);
    }),
    { numRuns: 150 },
  );
});
