import { expect, test } from 'vitest';
import { bulkhead } from '../../../src/policies/bulkhead/index.ts';
import { onAbort } from '../../../src/policies/standalone.ts';
import { FakeClock } from '../../../src/testing/index.ts';

test('listeners of a policy are told how long each execution took', async () => {
  const clock = new FakeClock();
  await clock.advance(5_000);
  const policy = bulkhead({ concurrent: 1 }, { clock });
  const told: unknown[] = [];
  const heard = policy.onSuccess(({ duration }) => told.push(`success after ${duration}`));
  policy.onFailure(({ duration, reason }) =>
    told.push(`failure after ${duration}: ${'error' in reason ? String(reason.error) : 'a value'}`),
  );
  await policy.execute(() => clock.advance(30));
  const failed = policy.execute(async () => {
    await clock.advance(40);
    throw new Error('no');
  });
  await expect(failed).rejects.toThrow('no');
  heard.dispose();
  await policy.execute(() => clock.advance(50));
  expect(told).toEqual(['success after 30', 'failure after 40: Error: no']);
});

test('an interruption comes once, with the reason of the signal, and none after it was taken back', () => {
  const controller = new AbortController();
  const heard: unknown[] = [];
  onAbort(controller.signal, (reason) => heard.push(reason));
  const stop = onAbort(controller.signal, () => heard.push('never'));
  stop();
  controller.abort('left');
  controller.signal.dispatchEvent(new Event('abort'));
  expect(heard).toEqual(['left']);
  expect(() => onAbort(undefined, () => heard.push('never'))()).not.toThrow();
});
