import { PassThrough } from 'node:stream';
import { context, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import winston from 'winston';
import type { LogEntry } from '../../../../src/telemetry/logger/log-records.ts';
import { createLogger } from '../../../../src/telemetry/logger/logger.ts';
import type { CreatedLogger } from '../../../../src/telemetry/logger/logger.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { unreadableValues } from '../../../support/unreadable-values.ts';

const SPAN = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: TraceFlags.SAMPLED };
const inSpan = trace.setSpanContext(ROOT_CONTEXT, SPAN);

interface Caught extends CreatedLogger {
  readonly lines: string[];
  readonly entries: LogEntry[];
  readonly last: () => Record<string, unknown>;
}

function caught(sinkThrows = false): Caught {
  const lines: string[] = [];
  const entries: LogEntry[] = [];
  const created = createLogger({
    level: 'info',
    redact: [],
    clock: new FakeClock(Date.UTC(2026, 10, 22)),
    sinks: {
      lines: [
        (line) => {
          if (sinkThrows) throw new Error('disk is gone');
          lines.push(line);
        },
      ],
      entry: (entry) => entries.push(entry),
    },
  });
  return { ...created, lines, entries, last: () => JSON.parse(lines.at(-1) ?? '{}') };
}

describe('the logger', () => {
  beforeAll(() => context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
  afterAll(() => context.disable());

  test.each(unreadableValues().filter(([name]) => name.includes('error')))(
    'writes the line of %s',
    (_name, value) => {
      const { logger, last, failures } = caught();
      logger.error('failed', value);
      expect(last()).toMatchObject({ level: 'error', 'exception.type': 'Error' });
      logger.error('in a field', { problem: value });
      expect(last()).toMatchObject({ message: 'in a field', problem: expect.anything() });
      expect(failures()).toBe(0);
    },
  );

  test('writes JSON with time, level, message, fields and the trace of the call', () => {
    const { logger, last } = caught();
    context.with(inSpan, () => logger.warn('slow', { ms: 12, deep: { a: [1] } }));
    expect(last()).toEqual({
      timestamp: '2026-11-22T00:00:00.000Z',
      level: 'warn',
      message: 'slow',
      trace_id: SPAN.traceId,
      span_id: SPAN.spanId,
      trace_flags: '01',
      ms: 12,
      deep: { a: [1] },
    });
  });

  test('leaves the trace out where there is none', () => {
    const { logger, last } = caught();
    logger.info('alone');
    expect(last()).not.toHaveProperty('trace_id');
  });

  test('keeps each line with the trace of its call, in a burst that winston delivers later', async () => {
    const { logger, entries } = caught();
    const count = 500;
    for (let i = 0; i < count; i += 1) {
      const traceId = i.toString(16).padStart(32, '1');
      context.with(trace.setSpanContext(ROOT_CONTEXT, { ...SPAN, traceId }), () => logger.info(`line ${i}`));
    }
    await expect.poll(() => entries.length).toBe(count);
    for (const [i, entry] of entries.entries()) {
      expect(entry.message).toBe(`line ${i}`);
      expect(trace.getSpanContext(entry.context)?.traceId).toBe(i.toString(16).padStart(32, '1'));
    }
  });

  test('takes secrets out of the message and of the fields', () => {
    const { logger, lines } = caught();
    logger.info('sent Bearer hunter2hunter2', { password: 'hunter2', headers: { Authorization: 'hunter2' } });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('hunter2');
  });

  test('writes an error with its type, message, stack and cause, however it is passed', () => {
    const { logger, last } = caught();
    const error = new TypeError('boom', { cause: 'why' });
    const expected = { 'exception.type': 'TypeError', 'exception.message': 'boom', cause: 'why' };
    logger.error('failed', error);
    expect(last()).toMatchObject({ message: 'failed boom', ...expected });
    logger.error(error);
    expect(last()).toMatchObject({ message: 'boom', ...expected });
    logger.log('error', error);
    expect(last()).toMatchObject({ message: 'boom', ...expected });
    expect(last()['exception.stacktrace']).toContain('logger.test.ts');
  });

  test('leaves the line to itself where an instrumentation gives every logger a transport', () => {
    const seen: unknown[] = [];
    const { prototype } = winston.Logger;
    const original = Object.getOwnPropertyDescriptor(prototype, 'configure') ?? {};
    prototype.configure = function instrumented(options) {
      Reflect.apply(original.value, this, [options]);
      const stream = new PassThrough().on('data', (line) => seen.push(line));
      this.add(new winston.transports.Stream({ stream }));
    };
    try {
      const { logger, lines } = caught();
      logger.info('once');
      expect(lines).toHaveLength(1);
      expect(seen).toEqual([]);
    } finally {
      Object.defineProperty(prototype, 'configure', original);
    }
  });

  test('gives a child its fields', () => {
    const { logger, last } = caught();
    logger.child({ part: 'queue' }).info('ready', { n: 1 });
    expect(last()).toMatchObject({ message: 'ready', part: 'queue', n: 1 });
  });

  test('writes nothing below its level, and follows a change of it', () => {
    const { logger, lines } = caught();
    logger.debug('quiet');
    expect(lines).toHaveLength(0);
    logger.level = 'debug';
    logger.debug('loud');
    expect(lines).toHaveLength(1);
  });

  test('does not touch what it is given', () => {
    const { logger } = caught();
    const fields = Object.freeze({ a: 1 });
    logger.info('x', fields);
    expect(fields).toEqual({ a: 1 });
  });

  test.each([
    ['a frozen error', Object.freeze(new Error('cold'))],
    ['a frozen object with a message', Object.freeze({ message: 'cold' })],
    [
      'an object whose message throws',
      Object.defineProperty({}, 'message', {
        get: () => {
          throw new Error('no');
        },
        enumerable: true,
      }),
    ],
    ['nothing', undefined],
    ['null', null],
    ['a symbol', Symbol('s')],
  ])('never throws for %s', (_name, value) => {
    const { logger } = caught();
    const log: (value: unknown) => unknown = logger.info.bind(logger);
    expect(() => log(value)).not.toThrow();
    expect(() => logger.log('info', value)).not.toThrow();
    expect(() => logger.info('x', value)).not.toThrow();
  });

  test('never throws when a sink does, goes on to the others, and counts it', async () => {
    const { logger, entries, failures } = caught(true);
    for (let i = 0; i < 50; i += 1) expect(() => logger.info('x')).not.toThrow();
    await expect.poll(() => entries.length).toBe(50);
    expect(failures()).toBe(50);
  });
});
