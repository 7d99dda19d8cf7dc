import { expect, test } from 'vitest';
import { guardedClock } from '../../../../src/telemetry/warnings/guarded-clock.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { unreadableValues } from '../../../support/unreadable-values.ts';

test('a timer whose callback throws leaves the process alone, is reported, and the next one runs', async () => {
  const clock = new FakeClock();
  const warnings: string[] = [];
  const guarded = guardedClock(clock, (_, message) => warnings.push(message));
  const values = unreadableValues();
  let ran = 0;
  for (const [, value] of values) {
    guarded.setTimer(() => {
      throw value;
    }, 5);
    guarded.setTimer(() => (ran += 1), 5);
  }
  const cancelled = guarded.setTimer(() => (ran += 1), 5);
  cancelled.cancel();
  await clock.advance(5);
  expect(ran).toBe(values.length);
  expect(warnings).toHaveLength(values.length);
  expect(warnings[0]).toBe(
    "A task of Keelson's telemetry failed: undefined. The application and the rest of the telemetry go on. Please report this.",
  );
  expect([guarded.now(), guarded.epoch()]).toEqual([clock.now(), clock.epoch()]);
});
