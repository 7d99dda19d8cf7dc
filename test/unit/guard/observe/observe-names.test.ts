import type { IPolicy } from 'cockatiel';
import { circuitBreaker, ConsecutiveBreaker, ConstantBackoff, fallback, handleAll, retry } from 'cockatiel';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Keelson } from '../../../../src/guard/index.ts';
import { createKeelson } from '../../../../src/guard/index.ts';
import type { MemoryTelemetry } from '../../../support/memory-telemetry.ts';
import { memoryTelemetry, valueOf } from '../../../support/memory-telemetry.ts';

function setUp(): { keelson: Keelson; telemetry: MemoryTelemetry; warnings: string[] } {
  const telemetry = memoryTelemetry();
  const warnings: string[] = [];
  const { meterProvider, tracerProvider } = telemetry;
  const warn = (message: string): void => void warnings.push(message);
  const keelson = createKeelson({ meterProvider, tracerProvider, warn });
  onTestFinished(() => keelson.dispose());
  return { keelson, telemetry, warnings };
}

const retryPolicy = (maxAttempts: number): IPolicy =>
  retry(handleAll, { maxAttempts, backoff: new ConstantBackoff(0) });

describe('the name of an observed policy', () => {
  const fails = (): Promise<never> => Promise.reject(new Error('no'));

  test('must be one that telemetry can carry', () => {
    expect(() => setUp().keelson.observe(retryPolicy(1), { name: ' ' })).toThrow(/Expected the name to be/);
  });

  test('is shared by a policy that a module has made anew: both count, and the state is that of the newer', async () => {
    const { keelson, telemetry, warnings } = setUp();
    const make = (): IPolicy =>
      keelson.observe(
        circuitBreaker(handleAll, { halfOpenAfter: 60_000, breaker: new ConsecutiveBreaker(1) }),
        {
          name: 'payments',
        },
      );
    const [first, second] = [make(), make()];
    expect(second).not.toBe(first);
    await expect(first.execute(fails)).rejects.toThrow('no');
    await second.execute(() => 1);
    const calls = await telemetry.points('keelson.calls');
    expect(valueOf(calls, { 'keelson.outcome': 'failure' })).toBe(1);
    expect(valueOf(calls, { 'keelson.outcome': 'success' })).toBe(1);
    expect(await telemetry.value('keelson.breaker.state', { 'keelson.breaker.state': 'closed' })).toBe(1);
    await expect(first.execute(fails)).rejects.toThrow(/circuit breaker is open/);
    expect(await telemetry.value('keelson.rejections', { 'keelson.reason': 'open' })).toBe(1);
    expect(warnings).toEqual([]);
  });

  test('keeps what fallbacks gave when a policy without one has it', async () => {
    const { keelson, telemetry, warnings } = setUp();
    await keelson.observe(fallback(handleAll, 'instead'), { name: 'payments' }).execute(fails);
    await keelson.observe(retryPolicy(1), { name: 'payments' }).execute(() => 1);
    const calls = await telemetry.points('keelson.calls');
    expect(valueOf(calls, { 'keelson.origin': 'fallback' })).toBe(1);
    expect(valueOf(calls, { 'keelson.outcome': 'success', 'keelson.origin': 'live' })).toBe(1);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^guard "payments": Policies of different kinds are observed under this name, at \S+observe-names\.test\.ts:\d+ and at \S+observe-names\.test\.ts:\d+\./,
      ),
    ]);
    keelson.observe(fallback(handleAll, 'instead'), { name: 'payments' });
    expect(warnings).toHaveLength(1);
  });

  test('gives the same stand-in for the same policy', () => {
    const { keelson } = setUp();
    const policy = retryPolicy(1);
    expect(keelson.observe(policy, { name: 'payments' })).toBe(keelson.observe(policy, { name: 'payments' }));
  });

  test('goes to a guard that wants it, and calls through the policy go on without metrics', async () => {
    const { keelson, telemetry, warnings } = setUp();
    const policy = keelson.observe(retryPolicy(1), { name: 'payments' });
    await policy.execute(() => 1);
    const guard = keelson.guard('payments', { bulkhead: {} });
    expect(await policy.execute(() => 2)).toBe(2);
    await guard.run('charge', async () => 3);
    const calls = await telemetry.points('keelson.calls');
    expect(valueOf(calls, { 'keelson.outcome': 'success', 'keelson.origin': 'live' })).toBe(1);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^guard "payments": A policy is observed under this name at \S+:\d+, and a guard is created at \S+:\d+\. The guard has the name now; /,
      ),
    ]);
  });

  test('is taken from a guard, which goes on without metrics', async () => {
    const { keelson, telemetry, warnings } = setUp();
    const guard = keelson.guard('payments', { bulkhead: { concurrent: 1 } });
    const policy = keelson.observe(retryPolicy(1), { name: 'payments' });
    expect(await guard.run('charge', async () => 1)).toBe(1);
    await policy.execute(() => 2);
    expect(guard.snapshot()).toMatchObject({ calls: { success: 1 }, bulkhead: { limit: 1 } });
    expect(keelson.guards()).toEqual([]);
    const calls = await telemetry.points('keelson.calls');
    expect(valueOf(calls, { 'keelson.outcome': 'success', 'keelson.origin': 'live' })).toBe(1);
    expect(warnings).toEqual([expect.stringContaining('The policy has the name now; ')]);
  });

  test('stays where it is if a guard is strict', () => {
    const { keelson, warnings } = setUp();
    const guard = keelson.guard('payments', { strict: true });
    expect(() => keelson.observe(retryPolicy(1), { name: 'payments' })).toThrow(
      /`strict: true` forbids that/,
    );
    expect(keelson.guards()).toEqual([guard]);
    keelson.observe(retryPolicy(1), { name: 'inventory' });
    expect(() => keelson.guard('inventory', { strict: true })).toThrow(/`strict: true` forbids that/);
    expect(keelson.guards()).toEqual([guard]);
    expect(warnings).toEqual([]);
  });
});
