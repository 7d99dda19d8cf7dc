import { describe, expect, test } from 'vitest';
import { createKeelson, isHttpFailure, preset } from '../../../src/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';

/** What each implementation of `fetch`, and each client, throws if the network fails. */
const NETWORK: Record<string, readonly unknown[]> = {
  'Node and undici': [
    new TypeError('fetch failed', { cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }) }),
    new TypeError('terminated', { cause: Object.assign(new Error('closed'), { code: 'UND_ERR_SOCKET' }) }),
    Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }),
  ],
  'MSW, with the response that a handler gave': [
    new TypeError('Failed to fetch', { cause: Response.error() }),
  ],
  browsers: [
    new TypeError('Failed to fetch'),
    new TypeError('NetworkError when attempting to fetch resource.'),
    new TypeError('Load failed'),
  ],
  'React Native': [new TypeError('Network request failed'), new TypeError('Network request timed out')],
  Bun: [
    Object.assign(new Error('Unable to connect. Is the computer able to access the url?'), {
      code: 'ConnectionRefused',
      errno: 0,
    }),
    Object.assign(new TypeError('refused, in other words'), { code: 'ConnectionRefused' }),
    new TypeError('Was there a typo in the url or port?'),
  ],
  Deno: [
    new TypeError(
      'error sending request for url (http://localhost:1/): client error (Connect): tcp connect error: Connection refused (os error 111)',
    ),
    new TypeError(
      'error sending request from 127.0.0.1:50472 for http://localhost:4444/ (127.0.0.1:4444): client error',
    ),
    new TypeError('client error (SendRequest)'),
    new TypeError('error reading a body from connection: end of file before message length reached'),
  ],
  'node-fetch': [
    Object.assign(new Error('request to http://x/ failed'), { name: 'FetchError', type: 'system' }),
  ],
  got: [Object.assign(new Error('socket hang up'), { name: 'RequestError', code: 'ECONNRESET' })],
  axios: [
    Object.assign(new Error('Network Error'), {
      name: 'AxiosError',
      code: 'ERR_NETWORK',
      response: undefined,
    }),
    Object.assign(new TypeError('fetch'), { code: 'ERR_NETWORK' }),
  ],
};

describe('a failure of the network is one for `isHttpFailure`', () => {
  test.each(Object.entries(NETWORK))('as %s reports it', (_who, errors) => {
    expect(errors.map(isHttpFailure)).toEqual(errors.map(() => true));
  });
});

test('a mistake of the program is none, also if it has the words of a network error or a code', () => {
  const mistakes = [
    new TypeError('fetch failed'),
    new TypeError('terminated'),
    new TypeError("Cannot read properties of undefined (reading 'client error (Connect)')"),
    new TypeError('Failed to fetch the list of undefined'),
    Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL' }),
    new TypeError('Failed to parse URL from nope', { cause: { code: 'ERR_INVALID_URL' } }),
    Object.assign(new TypeError('The "path" argument'), { code: 'ERR_INVALID_ARG_TYPE' }),
  ];
  expect(mistakes.map(isHttpFailure)).toEqual(mistakes.map(() => false));
});

test('a guard with a preset retries the network error that a handler of MSW gives', async () => {
  const clock = new FakeClock();
  const api = createKeelson({ clock }).guard('api', preset('standard-http'));
  const run = api.outcome('get', ({ attempt }) => {
    if (attempt === 0) throw new TypeError('Failed to fetch', { cause: Response.error() });
    return { status: 200 };
  });
  await clock.advance(5_000);
  expect(await run).toMatchObject({ outcome: 'success', attempts: 2 });
});
