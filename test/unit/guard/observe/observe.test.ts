import * as cockatiel from 'cockatiel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Keelson } from '../../../../src/guard/index.ts';
import { createKeelson } from '../../../../src/guard/index.ts';
import { deferred } from '../../../support/deferred.ts';
import { failing } from '../../../support/failing.ts';
import type { MemoryTelemetry } from '../../../support/memory-telemetry.ts';
import { installContextManager, memoryTelemetry, valueOf } from '../../../support/memory-telemetry.ts';

let removeContextManager = (): void => {};
beforeAll(() => {
  removeContextManager = installContextManager();
});
afterAll(() => removeContextManager());

function setUp(): { keelson: Keelson; telemetry: MemoryTelemetry } {
  const telemetry = memoryTelemetry();
  return { telemetry, keelson: createKeelson(telemetry) };
}

const retryPolicy = (maxAttempts: number): cockatiel.RetryPolicy =>
  cockatiel.retry(cockatiel.handleAll, { maxAttempts, backoff: new cockatiel.ConstantBackoff(0) });

describe('observing a retry of cockatiel', () => {
  test('shows its attempts, and gives its value', async () => {
    const { keelson, telemetry } = setUp();
    const policy = keelson.observe(retryPolicy(3), { name: 'payments', operation: 'charge' });
    await expect(policy.execute(failing(2))).resolves.toBe('ok');
    const names = telemetry.spans().map((span) => span.name);
    expect(names).toEqual([...Array<string>(3).fill('payments charge attempt'), 'payments charge']);
    expect(telemetry.spans()[1]?.links[0]?.context.spanId).toBe(telemetry.spans()[0]?.spanContext().spanId);
    expect(telemetry.spans()[3]?.attributes).toMatchObject({
      'keelson.attempts': 3,
      'keelson.outcome': 'success',
    });
    const attempts = await telemetry.points('keelson.attempts');
    expect(valueOf(attempts, { 'keelson.outcome': 'failure' })).toBe(2);
    expect(valueOf(attempts, { 'keelson.outcome': 'success' })).toBe(1);
  });

  test('throws the very error that the policy throws, and tells it once', async () => {
    const { keelson, telemetry } = setUp();
    const error = new Error('no');
    const policy = keelson.observe(retryPolicy(1), { name: 'payments' });
    await expect(policy.execute(failing(9, error))).rejects.toBe(error);
    expect(valueOf(await telemetry.points('keelson.calls'), { 'keelson.outcome': 'failure' })).toBe(1);
    expect(telemetry.logRecords().map(({ eventName }) => eventName)).toEqual(['keelson.call.failed']);
  });

  test('hands on the context that the policy gives', async () => {
    const { keelson } = setUp();
    const policy = keelson.observe(retryPolicy(2), { name: 'payments' });
    const attempts: number[] = [];
    await policy.execute(async ({ attempt, signal }) => {
      attempts.push(attempt);
      expect(signal).toBeInstanceOf(AbortSignal);
      if (attempt < 2) throw new Error('again');
    });
    expect(attempts).toEqual([0, 1, 2]);
  });
});

describe('observing a breaker of cockatiel', () => {
  test('shows its states, transitions and rejections', async () => {
    const { keelson, telemetry } = setUp();
    const original = cockatiel.circuitBreaker(cockatiel.handleAll, {
      breaker: new cockatiel.ConsecutiveBreaker(1),
      halfOpenAfter: 60_000,
    });
    const policy = keelson.observe(original, { name: 'payments' });
    await expect(policy.execute(failing(1))).rejects.toThrow('no');
    await expect(policy.execute(failing(0))).rejects.toSatisfy(cockatiel.isBrokenCircuitError);
    expect(policy.state).toBe(cockatiel.CircuitState.Open);
    expect(
      valueOf(await telemetry.points('keelson.breaker.state'), { 'keelson.breaker.state': 'open' }),
    ).toBe(1);
    expect(valueOf(await telemetry.points('keelson.rejections'), { 'keelson.reason': 'open' })).toBe(1);
    const transitions = await telemetry.points('keelson.breaker.transitions');
    expect(valueOf(transitions, { 'keelson.breaker.from': 'closed', 'keelson.breaker.to': 'open' })).toBe(1);
    expect(valueOf(await telemetry.points('keelson.calls'), { 'keelson.outcome': 'rejected' })).toBe(1);
  });

  test('leaves its handles working', async () => {
    const { keelson, telemetry } = setUp();
    const original = cockatiel.circuitBreaker(cockatiel.handleAll, {
      breaker: new cockatiel.ConsecutiveBreaker(1),
      halfOpenAfter: 60_000,
    });
    const policy = keelson.observe(original, { name: 'payments' });
    const handle = policy.isolate();
    expect(original.state).toBe(cockatiel.CircuitState.Isolated);
    expect(
      valueOf(await telemetry.points('keelson.breaker.state'), { 'keelson.breaker.state': 'forced_open' }),
    ).toBe(1);
    handle.dispose();
    expect(original.state).toBe(cockatiel.CircuitState.Closed);
  });
});

describe('observing a bulkhead of cockatiel', () => {
  test('shows its slots, and what it refuses', async () => {
    const { keelson, telemetry } = setUp();
    const policy = keelson.observe(cockatiel.bulkhead(1, 1), { name: 'payments' });
    const gate = deferred<string>();
    const running = policy.execute(() => gate.promise);
    const queued = policy.execute(failing(0));
    await expect(policy.execute(failing(0))).rejects.toSatisfy(cockatiel.isBulkheadRejectedError);
    expect(valueOf(await telemetry.points('keelson.bulkhead.active'), {})).toBe(1);
    expect(valueOf(await telemetry.points('keelson.bulkhead.queued'), {})).toBe(1);
    expect(valueOf(await telemetry.points('keelson.rejections'), { 'keelson.reason': 'full' })).toBe(1);
    gate.resolve('done');
    await expect(Promise.all([running, queued])).resolves.toEqual(['done', 'ok']);
    expect(valueOf(await telemetry.points('keelson.bulkhead.active'), {})).toBe(0);
  });
});

describe('observing a wrap of cockatiel', () => {
  test('reads every policy in it, and keeps the error of the attempt that ran', async () => {
    const { keelson, telemetry } = setUp();
    const breaker = cockatiel.circuitBreaker(cockatiel.handleAll, {
      breaker: new cockatiel.ConsecutiveBreaker(2),
      halfOpenAfter: 60_000,
    });
    const policy = keelson.observe(
      cockatiel.wrap(retryPolicy(5), cockatiel.wrap(breaker, cockatiel.bulkhead(3, 4))),
      { name: 'payments' },
    );
    await expect(policy.execute(failing(99, new TypeError('bad')))).rejects.toSatisfy(
      cockatiel.isBrokenCircuitError,
    );
    const call = telemetry.spans().find((span) => span.name === 'payments execute');
    expect(call?.attributes).toMatchObject({
      'keelson.outcome': 'failure',
      'keelson.attempts': 2,
      'error.type': 'TypeError',
      'keelson.suppressed.policy': 'breaker',
      'keelson.suppressed.reason': 'open',
    });
    expect(valueOf(await telemetry.points('keelson.bulkhead.queue.limit'), {})).toBe(4);
    expect(policy.wrapped).toHaveLength(2);
  });

  test('counts a timeout, and the function that still runs', async () => {
    const { keelson, telemetry } = setUp();
    const policy = keelson.observe(cockatiel.timeout(5, cockatiel.TimeoutStrategy.Aggressive), {
      name: 'payments',
    });
    const zombie = deferred<string>();
    await expect(policy.execute(() => zombie.promise)).rejects.toSatisfy(cockatiel.isTaskCancelledError);
    expect(valueOf(await telemetry.points('keelson.calls'), { 'keelson.outcome': 'timeout' })).toBe(1);
    expect(valueOf(await telemetry.points('keelson.call.abandoned'), {})).toBe(1);
    zombie.resolve('late');
    await zombie.promise;
    expect(valueOf(await telemetry.points('keelson.call.abandoned'), {})).toBe(0);
  });

  test("takes a caller's abort as cancelled", async () => {
    const { keelson, telemetry } = setUp();
    const policy = keelson.observe(cockatiel.wrap(retryPolicy(0), cockatiel.bulkhead(1)), {
      name: 'payments',
    });
    const controller = new AbortController();
    const run = policy.execute(async ({ signal }) => {
      controller.abort(new Error('left'));
      signal.throwIfAborted();
    }, controller.signal);
    await expect(run).rejects.toThrow('left');
    expect(valueOf(await telemetry.points('keelson.calls'), { 'keelson.outcome': 'cancelled' })).toBe(1);
  });
});
