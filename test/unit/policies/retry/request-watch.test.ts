import { channel, hasSubscribers } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { createKeelson } from '../../../../src/guard/index.ts';
import type { AttemptRequests } from '../../../../src/policies/retry/index.ts';
import { attemptEnded, watchRequests } from '../../../../src/policies/retry/index.ts';

const CHANNELS = [
  'undici:request:create',
  'undici:client:sendHeaders',
  'undici:request:bodySent',
  'undici:client:connectError',
  'undici:request:error',
  'http.client.request.created',
  'http.client.request.error',
  'http2.client.stream.created',
  'net.client.socket',
] as const;

function publish(name: (typeof CHANNELS)[number], message: unknown): void {
  channel(name).publish(message);
}

const refused = new Error('refused');

/** What an attempt is taken for, in which `body` publishes what a client of HTTP would. */
function attempt(body: (requests: AttemptRequests) => void, error: unknown = refused): boolean {
  return watchRequests(undefined, (requests) => {
    body(requests);
    return endsUnsent(requests, error);
  });
}

function endsUnsent(requests: AttemptRequests, error: unknown): boolean {
  attemptEnded(requests, error);
  return requests.sentNothing;
}

/** A socket as an agent gives it to a request. */
function socketThat(connecting: boolean): EventEmitter {
  return Object.assign(new EventEmitter(), { connecting });
}

test('nobody listens to the channels for calls that are idempotent, or are not retried', async () => {
  const keelson = createKeelson();
  const fail = (): never => {
    throw refused;
  };
  await keelson.guard('reads', { retry: { retries: 1, delay: 0 } }).outcome('read', fail);
  const once = keelson.guard('payments', { retry: { retries: 0 }, timeout: { attempt: '1s' } });
  await once.outcome('charge', fail, { idempotent: false });
  expect(CHANNELS.filter((name) => hasSubscribers(name))).toEqual([]);

  const retried = keelson.guard('charges', { retry: { retries: 1, delay: 0 } });
  await retried.outcome('charge', fail, { idempotent: false });
  expect(CHANNELS.filter((name) => hasSubscribers(name))).toEqual(CHANNELS);
});

describe('a request of undici', () => {
  const request = { origin: 'http://127.0.0.1:2' };

  test('is unsent if its error is that of its connection', () => {
    const isUnsent = attempt(() => {
      publish('undici:request:create', { request });
      publish('undici:client:connectError', { error: refused });
      publish('undici:request:error', { request, error: refused });
    });
    expect(isUnsent).toBe(true);
  });

  test('is unsent if connection and error are published outside of the attempt', () => {
    const error = new Error('refused');
    const requests = watchRequests(undefined, (seen) => {
      publish('undici:request:create', { request });
      return seen;
    });
    publish('undici:client:connectError', { error });
    publish('undici:request:error', { request, error });
    expect(endsUnsent(requests, error)).toBe(true);
  });

  test.each(['undici:client:sendHeaders', 'undici:request:bodySent'] as const)(
    'is in doubt once it was on %s, although its next connection was refused',
    (name) => {
      const isUnsent = attempt(() => {
        publish('undici:request:create', { request });
        publish(name, { request });
        publish('undici:client:connectError', { error: refused });
        publish('undici:request:error', { request, error: refused });
      });
      expect(isUnsent).toBe(false);
    },
  );

  test.each([
    ['of no connection', new Error('aborted')],
    ['no object', 'aborted'],
  ])('is in doubt if its error is %s', (_, error) => {
    const isUnsent = attempt(() => {
      publish('undici:request:create', { request });
      publish('undici:client:connectError', { error: 'aborted' });
      publish('undici:request:error', { request, error });
    }, error);
    expect(isUnsent).toBe(false);
  });

  test('of another attempt says nothing about this one', () => {
    const other = {};
    const isUnsent = attempt(() => {
      publish('undici:client:sendHeaders', { request: other });
      publish('undici:client:connectError', { error: refused });
      publish('undici:request:error', { request: other, error: refused });
    });
    expect(isUnsent).toBe(false);
  });
});

describe('a request of node:http', () => {
  const made = (request: EventEmitter): void => publish('http.client.request.created', { request });
  const failed = (request: EventEmitter): void =>
    publish('http.client.request.error', { request, error: refused });

  test('is unsent if it failed without a socket, or with one that never connected', () => {
    const without = attempt(() => {
      const request = new EventEmitter();
      made(request);
      failed(request);
    });
    const never = attempt(() => {
      const request = new EventEmitter();
      made(request);
      request.emit('socket', socketThat(true));
      failed(request);
    });
    expect([without, never]).toEqual([true, true]);
  });

  test('is in doubt if its socket connects', () => {
    const isUnsent = attempt(() => {
      const request = new EventEmitter();
      const socket = socketThat(true);
      made(request);
      request.emit('socket', socket);
      socket.emit('connect');
      failed(request);
    });
    expect(isUnsent).toBe(false);
  });

  test.each([
    ['was used before', socketThat(false)],
    ['is none of Node', { write: () => true }],
  ])('is in doubt if its socket %s', (_, socket) => {
    const isUnsent = attempt(() => {
      const request = new EventEmitter();
      made(request);
      request.emit('socket', socket);
      failed(request);
    });
    expect(isUnsent).toBe(false);
  });
});

describe('beside a request that never got a connection', () => {
  const refusedRequest = (): void => {
    const request = {};
    publish('undici:request:create', { request });
    publish('undici:client:connectError', { error: refused });
    publish('undici:request:error', { request, error: refused });
  };

  test('a stream of HTTP/2 puts the attempt in doubt', () => {
    const isUnsent = attempt(() => {
      refusedRequest();
      publish('http2.client.stream.created', { stream: {} });
    });
    expect(isUnsent).toBe(false);
  });

  test('another socket puts it in doubt when it connects, and not before', () => {
    const socket = socketThat(true);
    const answers = watchRequests(undefined, (requests) => {
      refusedRequest();
      publish('net.client.socket', { socket });
      const before = endsUnsent(requests, refused);
      socket.emit('connect');
      return [before, endsUnsent(requests, refused)];
    });
    expect(answers).toEqual([true, false]);
  });

  test.each(CHANNELS.filter((name) => name !== 'http2.client.stream.created'))(
    'what is not understood on %s changes nothing',
    (name) => {
      const isUnsent = attempt(() => {
        refusedRequest();
        for (const message of [null, undefined, 'text', {}, { request: null, socket: null, error: null }])
          publish(name, message);
      });
      expect(isUnsent).toBe(true);
    },
  );
});
