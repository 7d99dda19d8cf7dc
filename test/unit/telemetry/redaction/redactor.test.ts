import { describe, expect, test } from 'vitest';
import { REDACTED } from '../../../../src/core/secret-text.ts';
import { Redactor } from '../../../../src/telemetry/redaction/redactor.ts';

const redactor = new Redactor(['IBAN']);

describe('redaction', () => {
  for (const key of [
    'authorization',
    'Authorization',
    'proxy-authorization',
    'cookie',
    'Set-Cookie',
    'token',
    'access_token',
    'refreshToken',
    'password',
    'userPassword',
    'passwd',
    'secret',
    'client_secret',
    'apiKey',
    'api_key',
    'x-api-key',
    'privateKey',
    'iban',
  ]) {
    test(`takes out the value of ${key}, at any depth`, () => {
      expect(redactor.value({ [key]: 'hunter2' })).toEqual({ [key]: REDACTED });
      expect(redactor.value({ a: [{ b: { [key]: { deep: 'hunter2' } } }] })).toEqual({
        a: [{ b: { [key]: REDACTED } }],
      });
    });
  }

  for (const key of ['tokens', 'max_tokens', 'key', 'author', 'user', 'passed']) {
    test(`leaves ${key} alone`, () => {
      expect(redactor.value({ [key]: 'x' })).toEqual({ [key]: 'x' });
    });
  }

  test('takes secrets out of texts', () => {
    expect(redactor.text('sent Bearer abc.def-123= to x')).toBe(`sent Bearer ${REDACTED} to x`);
    expect(redactor.text('GET https://me:hunter2@host/p?token=hunter2&a=1')).toBe(
      `GET https://me:${REDACTED}@host/p?token=${REDACTED}&a=1`,
    );
    expect(redactor.text('{"password":"hunter2"}')).toBe(`{"password":"${REDACTED}"}`);
    expect(redactor.text('nothing to see: 17 tokens, a password prompt')).toBe(
      'nothing to see: 17 tokens, a password prompt',
    );
  });

  test('copies what JSON cannot hold into something that it can', () => {
    const cycle: Record<string, unknown> = { name: 'c' };
    cycle['self'] = cycle;
    const value = redactor.value({
      cycle,
      big: 10n,
      nan: Number.NaN,
      date: new Date(0),
      bytes: new Uint8Array(3),
      map: new Map([['token', 1]]),
      set: new Set([1]),
      none: undefined,
      fn: function named() {},
      symbol: Symbol('s'),
      error: Object.assign(new Error('boom'), { code: 'E1' }),
    });
    expect(value).toMatchObject({
      cycle: { name: 'c', self: '[circular]' },
      big: '10',
      nan: 'NaN',
      date: '1970-01-01T00:00:00.000Z',
      bytes: '[3 bytes]',
      map: { token: REDACTED },
      set: [1],
      fn: '[function named]',
      symbol: 'Symbol(s)',
      error: { name: 'Error', message: 'boom', code: 'E1' },
    });
    expect(value).not.toHaveProperty('none');
  });

  test('survives getters that throw, and stays within its bounds', () => {
    const hostile = {
      ok: 1,
      get bad(): string {
        throw new Error('no');
      },
    };
    expect(redactor.value(hostile)).toEqual({ ok: 1, bad: '[unreadable]' });
    expect(
      redactor.value({
        toJSON: () => {
          throw new Error('no');
        },
      }),
    ).toBe('[unreadable]');
    expect(redactor.value(Array.from({ length: 300 }, () => 0))).toHaveLength(201);
    expect(redactor.text('x'.repeat(100_000)).length).toBeLessThan(33_000);
    let deep: unknown = 1;
    for (let i = 0; i < 50; i += 1) deep = { deep };
    expect(JSON.stringify(redactor.value(deep))).toContain('[too deep]');
  });

  test('is bounded as a whole, however wide and deep a value is', () => {
    const wide = (depth: number): unknown =>
      depth === 0 ? 'x'.repeat(1_000) : Array.from({ length: 60 }, () => wide(depth - 1));
    const copy = JSON.stringify(redactor.value(wide(3)));
    expect(copy.length).toBeLessThan(600_000);
    expect(copy).toContain('[too much]');
    let next: { inner?: object } = {};
    const shared = Array.from({ length: 200 }, () => next);
    for (let i = 0; i < 6; i += 1) next = { inner: shared.map(() => next) };
    expect(JSON.stringify(redactor.value(next)).length).toBeLessThan(600_000);
  });

  test('keeps a field named __proto__ a field', () => {
    const value = redactor.value(JSON.parse('{"__proto__":{"polluted":1}}'));
    expect(JSON.stringify(value)).toBe('{"__proto__":{"polluted":1}}');
    expect({}).not.toHaveProperty('polluted');
  });
});
