import { metrics, trace } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { createKeelson } from '../../../src/index.ts';
import type { ExpectedCall } from '../../../src/testing/index.ts';
import { chaos, FakeClock, recordTelemetry } from '../../../src/testing/index.ts';

describe('a mistake in a test is an error of the test kit:', () => {
  test('a misspelt field of an expected call, which would hold for any call', async () => {
    const telemetry = await recordTelemetry();
    await createKeelson(telemetry)
      .guard('payments', {})
      .run('charge', () => 1);
    const misspelt = { outcom: 'failure' } as ExpectedCall;
    for (const expecting of [
      () => telemetry.expectCall(misspelt),
      () => telemetry.expectCalls(1, misspelt),
      () => telemetry.expectCalls(0, misspelt),
    ])
      expect(expecting).toThrow(/Unknown option `outcom`\. Did you mean `outcome`\?/);
    telemetry.expectCall({ outcome: 'success' });
  });

  test('chaos that injects nothing', () => {
    for (const options of [{}, { enabled: true }, { enabled: 'baggage' }] as const)
      expect(() => chaos(options)).toThrow(/Expected `faults` or `latency` or `outcomes` to be given/);
  });

  test('a fake clock that is moved by what is no time', async () => {
    const clock = new FakeClock();
    for (const ms of [Number.NaN, -1, Number.POSITIVE_INFINITY, '5s' as never, undefined as never]) {
      await expect(clock.advance(ms)).rejects.toThrow(/FakeClock\.advance: Expected `ms`/);
    }
    expect(() => clock.block(Number.NaN)).toThrow(/FakeClock\.block: Expected `ms`/);
    expect(() => clock.shiftEpoch(Number.NaN)).toThrow(/FakeClock\.shiftEpoch/);
    clock.shiftEpoch(-1_000);
    await clock.advance(0);
    expect([clock.now(), clock.epoch()]).toEqual([0, Date.UTC(2026, 0, 1) - 1_000]);
  });

  test('a second `install()`, which would record nothing', async () => {
    const [first, second] = [await recordTelemetry(), await recordTelemetry()];
    const uninstall = first.install();
    expect(() => second.install()).toThrow(/Expected no SDK in the process at `install\(\)`/);
    expect(() => first.install()).toThrow(/Expected no SDK/);
    trace.getTracer('test').startSpan('work').end();
    expect(first.spans()).toHaveLength(1);
    uninstall();
    const uninstallSecond = second.install();
    uninstall();
    trace.getTracer('test').startSpan('more').end();
    expect(second.spans()).toHaveLength(1);
    uninstallSecond();
  });

  test('`install()` beside a meter provider of somebody else, which leaves that and no tracer behind', async () => {
    const telemetry = await recordTelemetry();
    const other = (await recordTelemetry()).meterProvider;
    metrics.setGlobalMeterProvider(other);
    expect(() => telemetry.install()).toThrow(/Expected no SDK/);
    expect(metrics.getMeterProvider()).toBe(other);
    metrics.disable();
    telemetry.install()();
  });
});
