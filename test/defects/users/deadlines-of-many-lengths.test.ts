import { describe, expect, test } from 'vitest';
import { DeadlineNode } from '../../../src/core/time/deadline-node.ts';
import { deadlinesFor } from '../../../src/core/time/deadlines.ts';
import { createKeelson } from '../../../src/guard/index.ts';
import { timeout } from '../../../src/policies/timeout/index.ts';
import { FakeClock, seededRandom } from '../../../src/testing/index.ts';

class Noted extends DeadlineNode {
  readonly #expired: (dueAt: number) => void;

  constructor(expired: (dueAt: number) => void) {
    super();
    this.#expired = expired;
  }

  expire(): void {
    this.#expired(this.dueAt);
  }
}

/** More lists than this are never watched without a deadline in them. */
const FEW = 130;

describe('deadlines of 10,000 different lengths', () => {
  test('leave nothing behind that a later call has to look through', async () => {
    const clock = new FakeClock();
    const deadlines = deadlinesFor(clock);
    let mostWatched = 0;
    for (let ms = 1_000; ms < 11_000; ms += 1) {
      expect(await timeout(ms, { clock }).execute(async () => ms)).toBe(ms);
      mostWatched = Math.max(mostWatched, deadlines.watched);
    }
    expect(mostWatched).toBeLessThan(FEW);
  });

  test('leave nothing behind if a guard is updated to each of them', async () => {
    const clock = new FakeClock();
    const guard = createKeelson({ clock }).guard('adaptive', { timeout: { attempt: 1_000 } });
    for (let ms = 1_001; ms < 3_000; ms += 1) {
      guard.update({ timeout: { attempt: ms } });
      expect(await guard.run('load', async () => ms)).toBe(ms);
    }
    expect(deadlinesFor(clock).watched).toBeLessThan(FEW);
  });

  test('expire in the order of their time, each once and at its time, with others taken back meanwhile', async () => {
    const clock = new FakeClock();
    const deadlines = deadlinesFor(clock);
    const random = seededRandom(7);
    const expired: number[] = [];
    const due: number[] = [];
    for (let i = 0; i < 2_000; i += 1) {
      const list = deadlines.list(1 + Math.floor(random() * 5_000) / 10);
      for (const isKept of [random() < 0.5, random() < 0.5]) {
        const deadline = new Noted((dueAt) => {
          expect(clock.now()).toBeGreaterThanOrEqual(dueAt);
          expect(clock.now()).toBeLessThan(dueAt + 1);
          expired.push(dueAt);
        });
        deadlines.arm(list, deadline, clock.now());
        if (isKept) due.push(deadline.dueAt);
        else deadlines.disarm(deadline);
      }
    }
    await clock.advance(1_000);
    expect(expired).toEqual(due.toSorted((a, b) => a - b));
    expect(deadlines.watched).toBe(0);
    expect(clock.timers.running).toBe(0);
  });
});
