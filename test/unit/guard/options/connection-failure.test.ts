import { describe, expect, test } from 'vitest';
import { isConnectionFailure } from '../../../../src/guard/options/connection-failure.ts';

const withCode = (code: string): Error => Object.assign(new Error(code), { code });

describe('that an error speaks of a failed connection', () => {
  const refused = { code: 'ECONNREFUSED' };
  const under = (depth: number): object => {
    let error: object = refused;
    for (let level = 0; level < depth; level += 1) error = { cause: error };
    return error;
  };

  test('is seen under five causes, and no deeper', () => {
    expect([isConnectionFailure(under(5)), isConnectionFailure(under(6))]).toEqual([true, false]);
  });

  test('is seen no deeper inside of parts of parts either', () => {
    const nested = (depth: number): Error => {
      let error = Object.assign(new Error('refused'), refused);
      for (let level = 0; level < depth; level += 1)
        error = Object.assign(new AggregateError([error]), { code: 'E' });
      return error;
    };
    expect([isConnectionFailure(nested(5)), isConnectionFailure(nested(6))]).toEqual([true, false]);
  });

  test('is not said by an error without parts, unless by its own code', () => {
    expect(isConnectionFailure(new AggregateError([]))).toBe(false);
    expect(isConnectionFailure(Object.assign(new AggregateError([]), refused))).toBe(true);
  });

  test.each([null, undefined, 0, 'ECONNREFUSED', { code: 111 }, { code: ['ECONNREFUSED'] }, { cause: null }])(
    'is not said by %j',
    (error) => {
      expect(isConnectionFailure(error)).toBe(false);
    },
  );

  test.each([
    [withCode('ECONNREFUSED'), true],
    [new TypeError('fetch failed', { cause: withCode('ENOTFOUND') }), true],
    [new AggregateError([withCode('ECONNREFUSED'), withCode('ENETUNREACH')]), true],
    [new AggregateError([withCode('ECONNREFUSED'), withCode('ETIMEDOUT')]), false],
    [withCode('ETIMEDOUT'), false],
    [withCode('UND_ERR_HEADERS_TIMEOUT'), false],
    [new Error('no'), false],
    ['text', false],
    [undefined, false],
  ])('%s: %s', (error, answer) => {
    expect(isConnectionFailure(error)).toBe(answer);
  });

  test('survives a cause that is its own cause', () => {
    const error = new Error('loop');
    error.cause = error;
    expect(isConnectionFailure(error)).toBe(false);
  });
});
