import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { printable } from '../../src/cli/frame/printable.ts';
import { header, httpUrl, moment, rate, Refusal, wholeNumber } from '../../src/cli/frame/value-types.ts';

const NOW = Date.UTC(2026, 10, 22);
// The years that ISO 8601 writes with four digits.
const anyTime = fc.date({
  min: new Date('0000-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59Z'),
  noInvalidDate: true,
});

describe('values of the command line', () => {
  test('a moment is what ISO 8601 says, in UTC where no zone is named', () => {
    fc.assert(
      fc.property(anyTime, (time) => {
        expect(moment.parse(time.toISOString(), NOW)).toBe(time.getTime());
        expect(moment.parse(time.toISOString().slice(0, -1), NOW)).toBe(time.getTime());
        expect(moment.parse(time.toISOString().slice(0, 10), NOW)).toBe(
          Math.floor(time.getTime() / 864e5) * 864e5,
        );
      }),
    );
    expect(moment.parse('2026-11-22T02:00:00+02:00', NOW)).toBe(NOW);
  });

  test('a duration is that long before now', () => {
    const units = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
    fc.assert(
      fc.property(fc.nat(9_999), fc.constantFrom(...Object.entries(units)), (count, [unit, size]) => {
        expect(moment.parse(`${count}${unit}`, NOW)).toBe(NOW - count * size);
      }),
    );
  });

  test('a rate keeps its amount and says whether it counts items or bytes', () => {
    const units = { '': 1, B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.constantFrom(...Object.entries(units)),
        fc.boolean(),
        (amount, [unit, size], slash) => {
          expect(rate.parse(`${amount}${unit}${slash ? '/s' : ''}`, NOW)).toEqual({
            amount: amount * size,
            unit: unit === '' ? 'items' : 'bytes',
          });
        },
      ),
    );
  });

  test('whatever is written, it gives a usable value or a refusal, and never throws', () => {
    const odd = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '',
        '0',
        '-1',
        '1e3',
        'NaN',
        'Infinity',
        '0/s',
        '9'.repeat(400),
        '5 m',
        '2026-13-01',
        '2026-02-30T99:00',
      ),
    );
    fc.assert(
      fc.property(odd, (written) => {
        const time = moment.parse(written, NOW);
        expect(time instanceof Refusal || Number.isFinite(time)).toBe(true);
        const speed = rate.parse(written, NOW);
        expect(speed instanceof Refusal || (speed.amount > 0 && Number.isFinite(speed.amount))).toBe(true);
        const count = wholeNumber(1, 50).parse(written, NOW);
        expect(count instanceof Refusal || (Number.isInteger(count) && count >= 1 && count <= 50)).toBe(true);
        const url = httpUrl.parse(written, NOW);
        expect(url instanceof Refusal || /^https?:$/.test(url.protocol)).toBe(true);
        const field = header.parse(written, NOW);
        // What is taken, Node's client takes too.
        expect(() => field instanceof Refusal || new Headers([[field[0], field[1]]])).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  test('text of foreign origin cannot steer a terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
    expect(printable('\u001b[2Jkeel\u202eson')).toBe('\\u{1b}[2Jkeel\\u{202e}son');
  });
});
