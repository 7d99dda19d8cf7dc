import { expect, test } from 'vitest';
import { DeadlineNode } from '../../../../src/core/time/deadline-node.ts';
import { deadlinesFor } from '../../../../src/core/time/deadlines.ts';
import { FakeClock } from '../../../../src/testing/index.ts';

class Noted extends DeadlineNode {
  readonly #name: string;
  readonly #expired: string[];

  constructor(name: string, expired: string[]) {
    super();
    this.#name = name;
    this.#expired = expired;
  }

  expire(): void {
    this.#expired.push(this.#name);
  }
}

/** The first is late and met in its grace; the second is armed meanwhile, and the event loop is blocked once more. */
async function twoBlocks(isSecondMet: boolean): Promise<string[]> {
  const clock = new FakeClock();
  const deadlines = deadlinesFor(clock);
  const list = deadlines.list(100);
  const expired: string[] = [];
  const first = new Noted('first', expired);
  const second = new Noted('second', expired);
  deadlines.arm(list, first, clock.now());
  clock.block(300);
  clock.setTimer(() => {
    deadlines.disarm(first);
    deadlines.arm(list, second, clock.now());
    clock.setTimer(() => {
      clock.block(300);
      if (isSecondMet) clock.setTimer(() => deadlines.disarm(second), 0);
    }, 0);
  }, 0);
  await clock.advance(10);
  await clock.advance(1_000);
  return expired;
}

test('a deadline that is armed while another one has its grace has turns of its own', async () => {
  expect(await twoBlocks(true)).toEqual([]);
});

test('a deadline that is not met in its own turns expires', async () => {
  expect(await twoBlocks(false)).toEqual(['second']);
});
