import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSecretKey, redactQuery, REDACTED, redactText } from '../../../src/core/secret-text.ts';

describe('a text with a secret in it', () => {
  test.each([
    ['GET /pay?token=h1&a=1', `GET /pay?token=${REDACTED}&a=1`],
    ['GET /cb?state=x&code=h1', `GET /cb?state=x&code=${REDACTED}`],
    ['https://bob:pw@h/x?api_key=h1', `https://bob:${REDACTED}@h/x?api_key=${REDACTED}`],
    ['https://bob:p@w@h/x', `https://bob:${REDACTED}@h/x`],
    ['https://token:pw@h/x', `https://token:${REDACTED}@h/x`],
    ['pwd=h1 and sessionId: h1', `pwd=${REDACTED} and sessionId: ${REDACTED}`],
    [
      '?session_id=h1&sig=h1&refresh_token=h1',
      `?session_id=${REDACTED}&sig=${REDACTED}&refresh_token=${REDACTED}`,
    ],
    ['id_token=h1&client_secret=h1', `id_token=${REDACTED}&client_secret=${REDACTED}`],
    ['?X-Amz-Signature=h1#top', `?X-Amz-Signature=${REDACTED}`],
    ['sent Basic dXNlcjpwYXNz', `sent Basic ${REDACTED}`],
  ])('loses it: %s', (text, expected) => {
    expect(redactText(text)).toBe(expected);
  });

  test.each([
    'Basic authentication failed; a digest mismatch',
    'code=ECONNREFUSED syscall=connect address=127.0.0.1:5432',
    'https://shop.example:8443/orders?sort=name&page=2',
    '{"url":"http://shop:80","mail":"me@shop.example"}',
    'design=new; config: x; 17 tokens, a password prompt',
    'invalid signature: expected two parts',
    'TypeError: fetch failed at processTicksAndRejections (node:internal/process/task_queues:103:5)',
  ])('keeps ordinary words: %s', (text) => {
    expect(redactText(text)).toBe(text);
  });

  test('loses the first parameter of a query without question mark', () => {
    expect(redactQuery('token=h1&password=h2&page=2')).toBe(`token=${REDACTED}&password=${REDACTED}&page=2`);
    expect(redactQuery('code=h1')).toBe(`code=${REDACTED}`);
    expect(redactQuery('?code=h1')).toBe(`?code=${REDACTED}`);
    expect(redactQuery('page=2')).toBe('page=2');
  });

  test('knows the names of fields that hold secrets, and those that only sound so', () => {
    for (const key of ['pwd', 'sessionId', 'session_id', 'sig', 'signature', 'refresh_token', 'id_token'])
      expect(isSecretKey(key), key).toBe(true);
    for (const key of ['session.id', 'code', 'design', 'max_tokens', 'url.query'])
      expect(isSecretKey(key), key).toBe(false);
  });

  const piece = fc.constantFrom(
    'token',
    'pwd',
    'sig',
    'code',
    'cookie',
    'Bearer',
    'Basic',
    'abcdefgh',
    'eyJabcdefgh',
    'A1b2c3d4',
    REDACTED,
    '=',
    ':',
    '://',
    '@',
    '/',
    '&',
    '?',
    '.',
    '"',
    "'",
    '\\',
    ' ',
    '\n',
    ',',
    ';',
    '#',
    '-----BEGIN PRIVATE ',
    'KEY-----',
  );

  test('is the same after a second time', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, piece, piece, fc.string()), { maxLength: 30 }), (pieces) => {
        const once = redactText(pieces.join(''));
        expect(redactText(once)).toBe(once);
      }),
      { numRuns: 5_000 },
    );
  });

  test('is looked through in bounded time, 1 MiB of whatever', () => {
    const size = 1_048_576;
    fc.assert(
      fc.property(piece, fc.array(piece, { minLength: 1, maxLength: 3 }), (start, unit) => {
        const text = (start + unit.join('').repeat(size / unit.join('').length + 1)).slice(0, size);
        const before = performance.now();
        redactText(text);
        // Some 60 ms; quadratic time would take minutes.
        expect(performance.now() - before).toBeLessThan(5_000);
      }),
      { numRuns: 30 },
    );
  });
});
