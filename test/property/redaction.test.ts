import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLogger } from '../../src/telemetry/logger/logger.ts';
import { Redactor } from '../../src/telemetry/redaction/redactor.ts';
import { FakeClock } from '../../src/testing/fake-clock.ts';

/** In two, since committed text must not look like a key. */
const PEM = ['RSA PRIVATE', 'KEY'].join(' ');
const SECRET = 'h0nter2-XyZ-secret';

/** Ways in which people put a secret into a value that they log. */
const planted: fc.Arbitrary<unknown> = fc
  .constantFrom(
    'password',
    'Authorization',
    'x-api-key',
    'accessToken',
    'client_secret',
    'Set-Cookie',
    'PASSWD',
  )
  .chain((key) =>
    fc.constantFrom<unknown>(
      { [key]: SECRET },
      { [key]: [SECRET, { deep: SECRET }] },
      { [key]: { [SECRET]: SECRET } },
      new Map([[key, SECRET]]),
      ['host', 'x', key, SECRET, 'accept', '*/*'],
      [[key, SECRET]],
      { name: key, value: SECRET },
      { key, value: [SECRET] },
      `${key}=${SECRET}`,
      `${key}: "${SECRET} and more"`,
      `before {"${key}":"${SECRET}"} after`,
      JSON.stringify({ inner: JSON.stringify({ [key]: SECRET }) }),
      `GET /?${key}=${SECRET}&a=1`,
      new Error(`failed with ${key}=${SECRET}`),
      new Error('failed', { cause: { [key]: SECRET } }),
      Object.assign(new Error('failed'), { config: { headers: { [key]: SECRET } } }),
      // oxlint-disable-next-line no-new-wrappers
      new String(`${key}=${SECRET}`),
    ),
  );
const told: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
  `Bearer ${SECRET}`,
  `https://me:${SECRET}@host/path`,
  new URL(`https://me:${SECRET}@host/path`),
  `Cookie: a=1; session=${SECRET}`,
  `set-cookie: ${SECRET}; HttpOnly`,
  `eyJhbGciOiJIUzI1NiJ9.${SECRET}.sig`,
  `-----BEGIN ${PEM}-----\n${SECRET.replaceAll('-', '')}\n-----END ${PEM}-----`,
  { [`Bearer ${SECRET}`]: 1 },
);

/** A secret, wrapped in whatever structure. */
const wrapped: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 6 }, planted, told, tie('list'), tie('record'), tie('map'), tie('other')),
  list: fc.tuple(fc.jsonValue(), tie('value')).map((items) => items),
  record: fc.record({ a: tie('value'), b: fc.jsonValue() }),
  map: tie('value').map((value) => new Map([['m', value]])),
  other: tie('value').chain((value) =>
    fc.constantFrom<unknown>(new Set([value]), { toJSON: () => value }, Object.freeze({ frozen: value })),
  ),
})).value;

describe('a secret that is logged', () => {
  test('survives in no shape and at no depth', () => {
    const redactor = new Redactor();
    fc.assert(
      fc.property(wrapped, (value) => {
        expect(JSON.stringify(redactor.value(value))).not.toContain('h0nter2');
      }),
      { numRuns: 2_000 },
    );
  });

  test('reaches neither a line nor a log record through the logger, whatever else is in the call', () => {
    const seen: string[] = [];
    const { logger, failures } = createLogger({
      level: 'info',
      redact: [],
      clock: new FakeClock(),
      sinks: {
        lines: [(line) => seen.push(line)],
        entry: ({ message, fields }) => seen.push(JSON.stringify({ message, fields })),
      },
    });
    fc.assert(
      fc.property(wrapped, fc.anything(), (value, noise) => {
        seen.length = 0;
        logger.info('said', { value, noise });
        logger.log({ level: 'info', message: 'said', password: SECRET, key: 'x-token', value: SECRET });
        logger.error(new Error(`password=${SECRET}`));
        expect(seen.length).toBeGreaterThanOrEqual(4);
        expect(seen.join('\n')).not.toContain('h0nter2');
      }),
      { numRuns: 500 },
    );
    expect(failures()).toBe(0);
  });

  test('is looked for in time that grows with the text, not faster', () => {
    const redactor = new Redactor();
    const hostile = [
      'token="',
      'password',
      '://a:',
      'eyJaaaaaaaa.',
      `-----BEGIN ${PEM}-----`,
      'cookie: ',
      'Bearer ',
      '\\"',
    ];
    const time = (unit: string, length: number): number => {
      const text = unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
      const before = performance.now();
      for (let i = 0; i < 5; i += 1) redactor.text(text);
      return performance.now() - before;
    };
    for (const unit of hostile) {
      time(unit, 32_000);
      // Quadratic time would take some 64 times as long for eight times the text; a busy machine is forgiven.
      expect(time(unit, 32_000), unit).toBeLessThan(Math.max(250, time(unit, 4_000) * 40));
    }
  });
});
