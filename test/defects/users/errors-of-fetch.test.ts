import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createKeelson } from '../../../src/guard/index.ts';
import { memoryTelemetry } from '../../support/memory-telemetry.ts';

type Telemetry = ReturnType<typeof memoryTelemetry>;

/** One call of a guard whose breaker opens at its first failure. */
async function telemetryOf(fn: () => Promise<unknown>): Promise<Telemetry> {
  const telemetry = memoryTelemetry();
  const { tracerProvider, loggerProvider } = telemetry;
  const guard = createKeelson({ tracerProvider, loggerProvider }).guard('dep', { breaker: { failures: 1 } });
  await guard.outcome('get', fn);
  return telemetry;
}

/** The port of a server that closes every connection; of one that is closed itself by `isClosed`. */
async function port(isClosed: boolean): Promise<number> {
  const server = createServer(({ socket }) => socket.destroy()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port: number } = server.address() as AddressInfo;
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  if (isClosed) await close();
  else onTestFinished(close);
  return number;
}

class HttpError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

const withCode = (code: unknown, cause?: unknown): Error =>
  Object.assign(new Error('text', { cause }), { code });

describe('the error type of a failed call', () => {
  test('of fetch is that of the cause, in span, record and text', async () => {
    const closed = await port(true);
    const telemetry = await telemetryOf(() => fetch(`http://127.0.0.1:${closed}/`));
    const message = `fetch failed: connect ECONNREFUSED 127.0.0.1:${closed}`;
    expect(telemetry.spans()[0]).toMatchObject({
      attributes: { 'error.type': 'ECONNREFUSED' },
      status: { message },
    });
    expect(telemetry.logRecords()).toMatchObject([
      {
        eventName: 'keelson.breaker.transition',
        body: `The circuit breaker of dep is open: ${message}.`,
        attributes: { 'error.type': 'ECONNREFUSED' },
      },
      {
        eventName: 'keelson.call.failed',
        body: `A call of dep failed after 1 attempt: ${message}.`,
        attributes: {
          'error.type': 'ECONNREFUSED',
          'exception.type': 'ECONNREFUSED',
          'exception.message': message,
        },
      },
    ]);
  });

  test('of fetch whose connection was closed is that of the cause, also behind an error of its own', async () => {
    const open = await port(false);
    const ask = (): Promise<unknown> => fetch(`http://127.0.0.1:${open}/`);
    const wrapped = async (): Promise<unknown> => {
      try {
        return await ask();
      } catch (cause) {
        throw new Error('payments failed', { cause });
      }
    };
    for (const fn of [ask, wrapped]) {
      const telemetry = await telemetryOf(fn);
      expect(telemetry.spans()[0]?.attributes['error.type']).toBe('UND_ERR_SOCKET');
    }
  });

  test.each([
    ['its own code before all others', withCode('OWN', withCode('CAUSE')), 'OWN'],
    [
      'the code of its cause before its status',
      Object.assign(withCode(undefined, withCode('CAUSE')), { status: 500 }),
      'CAUSE',
    ],
    ['its status before its class', new HttpError(503), '503'],
    ['the status of its response', Object.assign(new Error('x'), { response: { status: 429 } }), '429'],
    [
      'its class, if its code is a number and its status is none',
      Object.assign(new TypeError('x'), { code: 20, status: 7 }),
      'TypeError',
    ],
    ['its class, if everything else throws', unreadable(), 'TypeError'],
    ['its class, if its cause is itself', ownCause(), 'RangeError'],
    ['_OTHER for what is no error', 'text', '_OTHER'],
  ])('is %s', async (_name, error, expected) => {
    const telemetry = await telemetryOf(() => Promise.reject(error));
    expect(telemetry.spans()[0]?.attributes['error.type']).toBe(expected);
  });
});

test('the message of a call that several addresses refused is that of the first', async () => {
  const refused = new AggregateError([new Error('connect ECONNREFUSED ::1:80')], '');
  const telemetry = await telemetryOf(() =>
    Promise.reject(new TypeError('fetch failed', { cause: refused })),
  );
  expect(telemetry.spans()[0]?.status.message).toBe('fetch failed: connect ECONNREFUSED ::1:80');
});

function unreadable(): Error {
  const error = new TypeError('x');
  for (const key of ['code', 'cause', 'status', 'response'])
    Object.defineProperty(error, key, {
      get: () => {
        throw new Error(key);
      },
    });
  return error;
}

function ownCause(): Error {
  const error = new RangeError('x');
  error.cause = error;
  return error;
}
