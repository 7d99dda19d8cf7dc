import { trace } from '@opentelemetry/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKeelson } from '../../../src/guard/index.ts';
import { failing } from '../../support/failing.ts';
import { installContextManager, memoryTelemetry } from '../../support/memory-telemetry.ts';

let removeContextManager = (): void => {};
beforeAll(() => {
  removeContextManager = installContextManager();
});
afterAll(() => removeContextManager());

test('a state change is a log event in the context of the call that caused it', async () => {
  const telemetry = memoryTelemetry();
  const { tracerProvider, loggerProvider } = telemetry;
  const guard = createKeelson({ tracerProvider, loggerProvider }).guard('payments', {
    breaker: { failures: 1 },
  });
  let traceId: string | undefined;
  await guard.outcome('charge', async () => {
    traceId = trace.getActiveSpan()?.spanContext().traceId;
    throw new Error('down');
  });
  const record = telemetry.logRecords().find(({ eventName }) => eventName === 'keelson.breaker.transition');
  expect(record).toMatchObject({
    severityText: 'WARN',
    attributes: {
      'keelson.guard.name': 'payments',
      'keelson.breaker.from': 'closed',
      'keelson.breaker.to': 'open',
    },
    spanContext: { traceId },
  });
  expect(traceId).toMatch(/^[0-9a-f]{32}$/);
});

test('a call that failed for good is told once, and names its request', async () => {
  const telemetry = memoryTelemetry();
  const { loggerProvider } = telemetry;
  const guard = createKeelson({ loggerProvider }).guard('payments', { retry: { retries: 2, delay: 0 } });
  await guard.outcome('charge', failing(9, new TypeError('bad')), { requestId: 'req-1' });
  await guard.outcome('charge', failing(1));
  expect(telemetry.logRecords()).toHaveLength(1);
  expect(telemetry.logRecords()[0]).toMatchObject({
    eventName: 'keelson.call.failed',
    attributes: {
      'keelson.guard.name': 'payments',
      'keelson.operation.name': 'charge',
      'keelson.request.id': 'req-1',
      'keelson.attempts': 3,
      'keelson.outcome': 'failure',
      'error.type': 'TypeError',
      'exception.type': 'TypeError',
      'exception.message': 'bad',
    },
  });
});

test('a circuit that closes again is good news', () => {
  const telemetry = memoryTelemetry();
  const guard = createKeelson({ loggerProvider: telemetry.loggerProvider }).guard('payments', {
    breaker: {},
  });
  guard.breaker?.forceOpen();
  guard.breaker?.reset();
  expect(telemetry.logRecords().map(({ severityText }) => severityText)).toEqual(['WARN', 'INFO']);
});

test('what a dependency puts into its message is no secret told, in the record or in the status of the span', async () => {
  const telemetry = memoryTelemetry();
  const { tracerProvider, loggerProvider } = telemetry;
  const guard = createKeelson({ tracerProvider, loggerProvider }).guard('payments', {});
  const error = new Error('GET https://bob:hunter2@h/x?api_key=hunter2 failed: 500');
  await guard.outcome('charge', failing(1, error));
  const told = 'GET https://bob:[redacted]@h/x?api_key=[redacted] failed: 500';
  expect(telemetry.logRecords()[0]?.attributes['exception.message']).toBe(told);
  expect(telemetry.spans().map(({ status }) => status.message)).toEqual([told]);
});
