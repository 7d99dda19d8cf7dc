import { AssertionError } from 'node:assert';
import { logs, metrics, trace } from '@opentelemetry/api';
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace';
import { describe, expect, test } from 'vitest';
import type { Guard } from '../../../src/guard/index.ts';
import { createKeelson } from '../../../src/guard/index.ts';
import type { RecordedTelemetry } from '../../../src/testing/index.ts';
import { FakeClock, recordTelemetry } from '../../../src/testing/index.ts';
import { failing } from '../../support/failing.ts';

async function twoCalls(): Promise<RecordedTelemetry> {
  const telemetry = await recordTelemetry();
  const clock = new FakeClock();
  const guard: Guard = createKeelson({ clock, ...telemetry }).guard('payments', { retry: { retries: 1 } });
  await guard.run('charge', async () => 1);
  const failed = guard.outcome('refund', failing(9, new TypeError('no')));
  await clock.advance(5_000);
  await failed;
  return telemetry;
}

function messageOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (error instanceof AssertionError) return error.message;
    throw error;
  }
  return expect.unreachable('nothing was thrown');
}

describe('expectCall', () => {
  test('gives the span of the one call that is as expected', async () => {
    const telemetry = await twoCalls();
    const span = telemetry.expectCall({
      guard: 'payments',
      operation: 'refund',
      outcome: 'failure',
      origin: 'live',
      attempts: 2,
      errorType: 'TypeError',
    });
    expect(span.name).toBe('payments refund');
    expect(telemetry.expectCall({ outcome: 'success' }).name).toBe('payments charge');
  });

  test('says which calls there were, where none is', async () => {
    const telemetry = await twoCalls();
    const message = messageOf(() => telemetry.expectCall({ operation: 'charge', attempts: 3 }));
    expect(message).toBe(
      'Expected 1 call like {"operation":"charge","attempts":3}, got 0. Recorded:\n' +
        '  {"guard":"payments","operation":"charge","outcome":"success","origin":"live","attempts":1}\n' +
        '  {"guard":"payments","operation":"refund","outcome":"failure","origin":"live","attempts":2,"errorType":"TypeError"}',
    );
  });

  test('says so where two are', async () => {
    const telemetry = await twoCalls();
    expect(messageOf(() => telemetry.expectCall({ guard: 'payments' }))).toMatch(
      /^Expected 1 call like .* got 2\./,
    );
  });

  test('counts no attempt as a call', async () => {
    const telemetry = await twoCalls();
    expect(telemetry.spans()).toHaveLength(4);
    expect(telemetry.expectCalls(2)).toHaveLength(2);
    expect(telemetry.expectCalls(0, { outcome: 'rejected' })).toEqual([]);
    expect(messageOf(() => telemetry.expectCalls(0))).toMatch(/^Expected 0 calls like \{\}, got 2\./);
  });

  test('tells of a retry that was held back', async () => {
    const telemetry = await recordTelemetry();
    const guard = createKeelson(telemetry).guard('payments', { retry: { retries: 1, retryIf: () => false } });
    await guard.outcome('charge', failing(1));
    expect(telemetry.expectCall({ suppressed: 'not_retryable' }).name).toBe('payments charge');
  });

  test('finds nothing where nothing was sampled', async () => {
    const telemetry = await recordTelemetry({ sampler: new AlwaysOffSampler() });
    expect(messageOf(() => telemetry.expectCall({}))).toMatch(/No guarded call was recorded\.$/);
  });
});

describe('expectLog', () => {
  test('gives the one record of the event with these attributes', async () => {
    const telemetry = await twoCalls();
    const record = telemetry.expectLog('keelson.call.failed', { 'keelson.guard.name': 'payments' });
    expect(record.attributes['keelson.attempts']).toBe(2);
    expect(telemetry.logRecords()).toEqual([record]);
  });

  test('says what there was, where it is not exactly one', async () => {
    const empty = await recordTelemetry();
    const telemetry = await twoCalls();
    expect(
      messageOf(() => telemetry.expectLog('keelson.call.failed', { 'keelson.guard.name': 'x' })),
    ).toMatch(
      /^Expected one log record keelson\.call\.failed with .*, got 0\. Recorded: \n {2}keelson\.call\.failed \{/,
    );
    expect(messageOf(() => empty.expectLog('keelson.call.failed'))).toMatch(/Recorded: none$/);
  });
});

describe('metrics', () => {
  test('are read at any time, point by point', async () => {
    const telemetry = await twoCalls();
    expect(await telemetry.value('keelson.calls', { 'keelson.outcome': 'failure' })).toBe(1);
    await telemetry.expectValue('keelson.attempts', { 'keelson.outcome': 'failure' }, 2);
    expect(await telemetry.metricNames()).toContain('keelson.call.duration');
    expect(await telemetry.points('keelson.unheard')).toEqual([]);
  });

  test('are told with both values where they are not as expected', async () => {
    const telemetry = await twoCalls();
    const wrong = telemetry.expectValue('keelson.attempts', { 'keelson.outcome': 'failure' }, 3);
    await expect(wrong).rejects.toMatchObject({ code: 'ERR_ASSERTION', actual: 2, expected: 3 });
  });

  test('are told with their points where not exactly one matches', async () => {
    const telemetry = await twoCalls();
    await expect(telemetry.value('keelson.attempts')).rejects.toThrow(
      /^Expected one point of keelson\.attempts with \{\}, got 4\. Points: \n {2}\{/,
    );
    await expect(telemetry.value('keelson.unheard')).rejects.toThrow(/got 0\. Points: none$/);
  });
});

test('it can be the SDK of the process, until it is taken away', async () => {
  const telemetry = await recordTelemetry();
  const uninstall = telemetry.install();
  const inside = await trace.getTracer('test').startActiveSpan('outer', async (span) => {
    await Promise.resolve();
    const isActive = trace.getActiveSpan() === span;
    span.end();
    return isActive;
  });
  metrics.getMeter('test').createCounter('seen').add(2);
  logs.getLogger('test').emit({ eventName: 'said' });
  uninstall();
  trace.getTracer('test').startSpan('later').end();
  expect(inside).toBe(true);
  expect(telemetry.spans().map(({ name }) => name)).toEqual(['outer']);
  await telemetry.expectValue('seen', {}, 2);
  telemetry.expectLog('said');
  expect(trace.getActiveSpan()).toBeUndefined();
});
