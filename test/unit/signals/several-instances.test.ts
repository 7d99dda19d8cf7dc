import { metrics } from '@opentelemetry/api';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Keelson } from '../../../src/guard/index.ts';
import { createKeelson } from '../../../src/guard/index.ts';
import { bindSignals, liveSeries } from '../../../src/signals/index.ts';
import { failing } from '../../support/failing.ts';
import type { MemoryTelemetry } from '../../support/memory-telemetry.ts';
import { memoryTelemetry } from '../../support/memory-telemetry.ts';

const OPTIONS = { breaker: { failures: 1 }, bulkhead: { concurrent: 4 } };

function instance(telemetry: MemoryTelemetry): Keelson {
  const keelson = createKeelson({ meterProvider: telemetry.meterProvider });
  onTestFinished(() => keelson.dispose());
  return keelson;
}

/** A module that makes an instance of its own, evaluated twice. */
function twice(telemetry: MemoryTelemetry): readonly [Keelson, Keelson] {
  return [instance(telemetry), instance(telemetry)];
}

describe('guards of one name in two instances', () => {
  test('add up what they count, and show the state of the newer', async () => {
    const telemetry = memoryTelemetry();
    const [older, newer] = twice(telemetry).map((keelson) => keelson.guard('twice', OPTIONS));
    await older?.run('charge', async () => 1);
    await older?.outcome('charge', failing(1));
    await newer?.run('charge', async () => 1);
    const success = { 'keelson.outcome': 'success', 'keelson.origin': 'live' };
    expect(await telemetry.value('keelson.calls', success)).toBe(2);
    expect(await telemetry.value('keelson.calls', { 'keelson.outcome': 'failure' })).toBe(1);
    expect(await telemetry.value('keelson.breaker.state', { 'keelson.breaker.state': 'closed' })).toBe(1);
    expect(await telemetry.value('keelson.breaker.state', { 'keelson.breaker.state': 'open' })).toBe(0);
    expect(await telemetry.value('keelson.bulkhead.limit')).toBe(4);
    const duration = await telemetry.value('keelson.call.duration', { 'keelson.outcome': 'success' });
    expect(duration).toMatchObject({ count: 2 });
  });

  test('are one again after the other instance is disposed', async () => {
    const telemetry = memoryTelemetry();
    const [older, newer] = twice(telemetry);
    await older.guard('twice', OPTIONS).run('charge', async () => 1);
    await newer.guard('twice', { timeout: { attempt: '1s' } }).run('charge', async () => 1);
    expect(await telemetry.metricNames()).toContain('keelson.bulkhead.limit');
    older.dispose();
    expect(await telemetry.value('keelson.attempts', { 'keelson.outcome': 'success' })).toBe(1);
    expect(await telemetry.metricNames()).not.toContain('keelson.bulkhead.limit');
    newer.dispose();
    expect(await telemetry.metricNames()).toEqual([]);
  });

  test('leave a meter provider together, and come to the next one', async () => {
    onTestFinished(() => metrics.disable());
    const [first, second] = [memoryTelemetry(), memoryTelemetry()];
    metrics.setGlobalMeterProvider(first.meterProvider);
    const guards = [createKeelson(), createKeelson()].map((keelson) => keelson.guard('moving', OPTIONS));
    for (const guard of guards) await guard.run('charge', async () => 1);
    expect(await first.value('keelson.attempts', { 'keelson.outcome': 'success' })).toBe(2);
    metrics.disable();
    metrics.setGlobalMeterProvider(second.meterProvider);
    bindSignals();
    for (const guard of guards) await guard.run('charge', async () => 1);
    expect(await second.value('keelson.attempts', { 'keelson.outcome': 'success' })).toBe(4);
  });
});

test('where an older copy of the package takes part, nobody knows which series have ended', () => {
  const instances = Reflect.get(globalThis, Symbol.for('keelson.signals.v1')) as Set<WeakRef<object>>;
  const guard = instance(memoryTelemetry()).guard('known', OPTIONS);
  expect(liveSeries()?.get('known')).toContain('keelson.breaker.state');
  const older = { bind: () => {} };
  const reference = new WeakRef<object>(older);
  instances.add(reference);
  onTestFinished(() => void instances.delete(reference));
  expect(liveSeries()).toBeUndefined();
  expect(older).toBeDefined();
  guard.dispose();
});
