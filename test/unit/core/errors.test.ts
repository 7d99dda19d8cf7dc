import { describe, expect, test } from 'vitest';
import {
  ConfigError,
  FailedResultError,
  KeelsonError,
  requestIdOf,
  setRequestId,
  TimeoutError,
} from '../../../src/core/errors.ts';

describe('an error', () => {
  test('without more to say has no cause, no hint and no source', () => {
    const error = new KeelsonError('ERR_X', 'No.');
    expect(Object.hasOwn(error, 'cause')).toBe(false);
    expect([error.name, error.message, error.hint, error.source]).toEqual([
      'KeelsonError',
      'No.',
      undefined,
      {},
    ]);
  });

  test('keeps a cause that is nothing', () => {
    expect(Object.hasOwn(new KeelsonError('ERR_X', 'No.', { cause: undefined }), 'cause')).toBe(true);
  });

  test('of options lists its problems', () => {
    expect(new ConfigError('retry', ['One.', 'Two.'])).toMatchObject({
      name: 'ConfigError',
      code: 'ERR_KEELSON_CONFIG',
      message: 'retry: One. Two.',
      problems: ['One.', 'Two.'],
    });
  });

  test('of a result carries the value', () => {
    expect(new FailedResultError(503, { guard: 'payments' })).toMatchObject({
      name: 'FailedResultError',
      code: 'ERR_KEELSON_FAILED_RESULT',
      message: 'The function gave a value that counts as a failure.',
      value: 503,
      source: { guard: 'payments' },
    });
  });
});

describe('a timeout', () => {
  test.each([
    ['attempt', 0, 'Guard "payments": the attempt did not settle within 50 ms.', /Pass the `signal` on/],
    ['total', 0, 'Guard "payments": the call did not settle within 50 ms.', /Raise `timeout\.total`/],
    [
      'attempt',
      30.4,
      'Guard "payments": the attempt did not settle within 50 ms. The event loop was blocked for 30 ms of it.',
      /too busy to read the answer/,
    ],
  ] as const)('of an %s, %d ms late, says what to do', (scope, lateByMs, message, hint) => {
    const error = new TimeoutError(scope, 50, { guard: 'payments' }, lateByMs);
    expect(error).toMatchObject({
      code: lateByMs > 0 ? 'ERR_KEELSON_EVENT_LOOP_DELAY' : 'ERR_KEELSON_TIMEOUT',
      message,
      hint: expect.stringMatching(hint),
      source: { guard: 'payments', policy: 'timeout' },
      scope,
      timeoutMs: 50,
      lateByMs,
    });
  });
});

test('a timeout without a guard names none, and counts whole milliseconds', () => {
  expect(new TimeoutError('total', 298.24).message).toBe('The call did not settle within 299 ms.');
});

describe('the request id of an error', () => {
  test('is known of errors, of other objects and of functions', () => {
    for (const thrown of [new Error('no'), {}, (): void => {}]) {
      expect(requestIdOf(thrown)).toBeUndefined();
      setRequestId(thrown, 'req_1');
      expect(requestIdOf(thrown)).toBe('req_1');
    }
  });

  test.each([null, undefined, 'text', 5])('is not known of %j, and does no harm', (thrown) => {
    setRequestId(thrown, 'req_1');
    expect(requestIdOf(thrown)).toBeUndefined();
  });
});
