import { expect, test } from 'vitest';
import { FakeClock } from '../../../src/testing/index.ts';

test('a clock goes no way back where a callback blocks beyond the time that it was moved to', async () => {
  const clock = new FakeClock();
  const fired: string[] = [];
  clock.setTimer(() => clock.block(500), 10);
  clock.setTimer(() => fired.push(`within, at ${clock.now()}`), 50);
  clock.setTimer(() => fired.push(`beyond, at ${clock.now()}`), 300);
  await clock.advance(100);
  expect([clock.now(), fired]).toEqual([510, ['within, at 510']]);
  await clock.advance(0);
  expect([clock.now(), fired]).toEqual([510, ['within, at 510', 'beyond, at 510']]);
});
