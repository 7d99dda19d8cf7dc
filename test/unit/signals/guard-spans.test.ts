import { context, ROOT_CONTEXT, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import { AlwaysOffSampler, AlwaysOnSampler, ParentBasedSampler } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Guard, GuardOptions } from '../../../src/guard/index.ts';
import { createKeelson } from '../../../src/guard/index.ts';
import { requestIdFrom } from '../../../src/signals/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { failing } from '../../support/failing.ts';
import type { MemoryTelemetry } from '../../support/memory-telemetry.ts';
import { installContextManager, memoryTelemetry } from '../../support/memory-telemetry.ts';

let removeContextManager = (): void => {};
beforeAll(() => {
  removeContextManager = installContextManager();
});
afterAll(() => removeContextManager());

interface SetUp {
  readonly guard: Guard;
  readonly clock: FakeClock;
  readonly telemetry: MemoryTelemetry;
}

function setUp(options: GuardOptions, telemetry: MemoryTelemetry = memoryTelemetry()): SetUp {
  const clock = new FakeClock(Date.now());
  const { tracerProvider } = telemetry;
  return { clock, telemetry, guard: createKeelson({ clock, tracerProvider }).guard('payments', options) };
}

describe('the span of a call', () => {
  test('is one internal span with the account of the call', async () => {
    const { guard, telemetry } = setUp({ retry: {}, timeout: { attempt: '1s' } });
    await guard.run('charge', async () => 1, { requestId: 'req-7' });
    const [span, ...others] = telemetry.spans();
    expect(others).toEqual([]);
    expect(span).toMatchObject({
      name: 'payments charge',
      kind: 0,
      status: { code: SpanStatusCode.UNSET },
      attributes: {
        'keelson.guard.name': 'payments',
        'keelson.operation.name': 'charge',
        'keelson.outcome': 'success',
        'keelson.origin': 'live',
        'keelson.attempts': 1,
        'keelson.request.id': 'req-7',
      },
    });
    expect(span?.attributes).not.toHaveProperty('error.type');
  });

  test('names the service on the other side where the guard does', async () => {
    const { guard, telemetry } = setUp({ peer: 'payment-service' });
    expect(guard.describe()).toMatch(/^payments, peer payment-service\n/);
    await guard.run('charge', async () => 1);
    await guard.for('tenant').run('charge', async () => 1);
    guard.update({ peer: 'ledger' });
    await guard.run('charge', async () => 1);
    guard.update({});
    await guard.run('charge', async () => 1);
    expect(telemetry.spans().map(({ attributes }) => attributes['service.peer.name'])).toEqual([
      'payment-service',
      'payment-service',
      'ledger',
      undefined,
    ]);
  });

  test('is the parent of what the function does', async () => {
    const { guard, telemetry } = setUp({});
    const tracer = telemetry.tracerProvider.getTracer('test');
    await guard.run('charge', async () => tracer.startSpan('GET /').end());
    const [inner, call] = telemetry.spans();
    expect(inner?.parentSpanContext?.spanId).toBe(call?.spanContext().spanId);
  });

  test('tells of a failure by type and status, and of nothing that was made good', async () => {
    const { guard, telemetry, clock } = setUp({ retry: { retries: 1, delay: 10, jitter: 0 } });
    const error = Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' });
    const recovered = guard.run('charge', failing(1, error));
    await clock.advance(10);
    await recovered;
    const failed = expect(guard.run('charge', failing(9, error))).rejects.toThrow('connection refused');
    await clock.advance(10);
    await failed;
    const calls = telemetry.spans().filter((span) => span.name === 'payments charge');
    expect(calls[0]?.status.code).toBe(SpanStatusCode.UNSET);
    expect(calls[0]?.attributes).not.toHaveProperty('error.type');
    expect(calls[1]).toMatchObject({
      status: { code: SpanStatusCode.ERROR, message: 'connection refused' },
      attributes: { 'error.type': 'ECONNREFUSED', 'keelson.outcome': 'failure', 'keelson.attempts': 2 },
    });
    expect(telemetry.spans().flatMap((span) => span.events)).toEqual([]);
  });

  test('is a short error span for a rejection, and no error for a caller that gave up', async () => {
    const { guard, telemetry } = setUp({ breaker: {} });
    guard.breaker?.forceOpen();
    await guard.outcome('charge', failing(0));
    await guard.outcome('charge', failing(0), { signal: AbortSignal.abort() });
    const [rejected, cancelled] = telemetry.spans();
    expect(rejected).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: {
        'keelson.outcome': 'rejected',
        'keelson.attempts': 0,
        'error.type': 'ERR_KEELSON_BREAKER_FORCED_OPEN',
      },
    });
    expect(cancelled).toMatchObject({
      status: { code: SpanStatusCode.UNSET },
      attributes: { 'keelson.outcome': 'cancelled', 'error.type': 'AbortError' },
    });
  });

  test('names at most 50 operations', async () => {
    const { guard, telemetry } = setUp({});
    for (let i = 0; i < 60; i += 1) await guard.run(`operation-${i}`, async () => 1);
    const names = new Set(telemetry.spans().map((span) => span.attributes['keelson.operation.name']));
    expect(names.size).toBe(51);
    expect(names).toContain('_OTHER');
  });

  test('puts the request id into the context of the call', async () => {
    const { guard } = setUp({});
    const id = await guard.run('charge', async () => requestIdFrom(context.active()), { requestId: 'req-9' });
    expect(id).toBe('req-9');
    expect(requestIdFrom(ROOT_CONTEXT)).toBeUndefined();
  });
});

describe('the spans of attempts', () => {
  test('appear when a retry follows, the failed first one included, each linked to the one before', async () => {
    const { guard, telemetry, clock } = setUp({ retry: { retries: 2, delay: '1s', jitter: 0 } });
    const run = guard.run('charge', failing(2, new TypeError('bad')));
    await clock.advance(3_000);
    await run;
    const [first, second, third, call] = telemetry.spans();
    expect([first, second, third].map((span) => span?.name)).toEqual(
      Array(3).fill('payments charge attempt'),
    );
    for (const attempt of [first, second, third]) {
      expect(attempt?.parentSpanContext?.spanId).toBe(call?.spanContext().spanId);
    }
    expect([first, second, third].map((span) => span?.attributes['keelson.attempt.number'])).toEqual([
      0, 1, 2,
    ]);
    expect([first, second, third].map((span) => span?.attributes['keelson.outcome'])).toEqual([
      'failure',
      'failure',
      'success',
    ]);
    expect(first?.attributes['error.type']).toBe('TypeError');
    expect(first?.links).toEqual([]);
    expect(second?.links.map((link) => link.context.spanId)).toEqual([first?.spanContext().spanId]);
    expect(third?.links.map((link) => link.context.spanId)).toEqual([second?.spanContext().spanId]);
  });

  test('start where the attempt started, not where the retry was decided', async () => {
    const { guard, telemetry, clock } = setUp({
      retry: { retries: 1, delay: 10, jitter: 0 },
      timeout: { attempt: '250ms' },
    });
    const run = guard.run('charge', ({ attempt }) => (attempt === 0 ? new Promise<number>(() => {}) : 1));
    await clock.advance(260);
    await run;
    const [first] = telemetry.spans();
    const [seconds, nanos] = first?.duration ?? [0, 0];
    expect(seconds * 1_000 + nanos / 1e6).toBeCloseTo(250, 3);
  });

  test('are the active ones while a later attempt runs', async () => {
    const { guard, telemetry, clock } = setUp({ retry: { retries: 1, delay: 10, jitter: 0 } });
    const run = guard.run('charge', async ({ attempt }) => {
      if (attempt === 0) throw new Error('no');
      telemetry.tracerProvider.getTracer('test').startSpan('GET /').end();
    });
    await clock.advance(10);
    await run;
    const inner = telemetry.spans().find((span) => span.name === 'GET /');
    const second = telemetry.spans().find((span) => span.attributes['keelson.attempt.number'] === 1);
    expect(inner?.parentSpanContext?.spanId).toBe(second?.spanContext().spanId);
  });

  test('are there for every attempt where that is asked for', async () => {
    const { guard, telemetry } = setUp({ spans: { attempts: 'all' } });
    await guard.run('charge', async () => 1);
    expect(telemetry.spans().map((span) => span.name)).toEqual([
      'payments charge attempt',
      'payments charge',
    ]);
  });
});

describe('a parent that is not sampled', () => {
  test('means no span work at all', async () => {
    const telemetry = memoryTelemetry(new ParentBasedSampler({ root: new AlwaysOnSampler() }));
    const { guard } = setUp({}, telemetry);
    const spanContext = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: TraceFlags.NONE };
    const parent = trace.setSpanContext(ROOT_CONTEXT, spanContext);
    const active = await context.with(parent, () =>
      guard.run('charge', async () => trace.getSpanContext(context.active())),
    );
    expect(active).toEqual(spanContext);
    expect(telemetry.spans()).toEqual([]);
  });

  test('is not mistaken for a remote parent that is sampled', async () => {
    const { guard, telemetry } = setUp({});
    const spanContext = {
      traceId: '1'.repeat(32),
      spanId: '2'.repeat(16),
      traceFlags: TraceFlags.SAMPLED,
      isRemote: true,
    };
    await context.with(trace.setSpanContext(ROOT_CONTEXT, spanContext), () =>
      guard.run('charge', async () => 1),
    );
    expect(telemetry.spans()[0]?.spanContext().traceId).toBe('1'.repeat(32));
  });

  test('lets a sampler that says no keep the trace whole', async () => {
    const telemetry = memoryTelemetry(new AlwaysOffSampler());
    const { guard } = setUp({ retry: { retries: 1, delay: 0 } }, telemetry);
    await guard.run('charge', async () => 1);
    expect(telemetry.spans()).toEqual([]);
  });
});
