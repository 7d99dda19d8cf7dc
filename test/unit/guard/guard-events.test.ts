import { expect, test } from 'vitest';
import { createKeelson } from '../../../src/guard/index.ts';
import type { GuardEvent } from '../../../src/index.ts';
import { requestIdOf } from '../../../src/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { failing } from '../../support/failing.ts';

test('listeners hear what happens in the order in which it does', async () => {
  const clock = new FakeClock();
  const guard = createKeelson({ clock }).guard('payments', {
    retry: { retries: 1, delay: '1s', jitter: 0 },
    breaker: { failures: 2, openFor: '1m' },
    timeout: { attempt: '1s' },
  });
  const events: GuardEvent[] = [];
  const stop = guard.on((event) => events.push(event));
  const run = guard.outcome('charge', ({ signal }) => new Promise(() => signal), { requestId: 'r1' });
  await clock.advance(10_000);
  await run;
  await guard.outcome('charge', failing(0));
  expect(events.map(({ type }) => type)).toEqual([
    'timeout',
    'retry.scheduled',
    'timeout',
    'breaker.transition',
    'call.settled',
    'rejected',
    'call.settled',
  ]);
  expect(events[1]).toMatchObject({
    guard: 'payments',
    operation: 'charge',
    requestId: 'r1',
    attempt: 1,
    delayMs: 1_000,
  });
  expect(events[5]).toMatchObject({ policy: 'breaker', reason: 'open', retryAfterMs: 53_000 });
  stop();
  await guard.outcome('charge', failing(0));
  expect(events).toHaveLength(7);
});

test('a listener that throws is counted, and the others still hear', async () => {
  const guard = createKeelson().guard('payments', {});
  const heard: string[] = [];
  guard.on(() => {
    throw new Error('a listener that throws');
  });
  guard.on(({ type }) => heard.push(type));
  await expect(guard.run('charge', async () => 1)).resolves.toBe(1);
  expect(heard).toEqual(['call.settled']);
  expect(guard.snapshot().listenerFailures).toBe(1);
});

test('an error tells its request id, whoever made the error', async () => {
  const guard = createKeelson().guard('payments', {});
  const error = Object.freeze(new Error('no'));
  await guard.outcome('charge', failing(1, error), { requestId: 'r2' });
  expect(requestIdOf(error)).toBe('r2');
  expect(requestIdOf(new Error('another'))).toBeUndefined();
  expect(requestIdOf('a string')).toBeUndefined();
  expect(requestIdOf(null)).toBeUndefined();
});
