import { MAX_TIMER_MS, parseDuration } from '../../core/time/duration.ts';

/** A text of the command line that has no meaning for its parameter. */
export class Refusal {
  /** Continues "Expected `--rate` ...". */
  readonly expected: string;
  readonly remedy: string;

  constructor(expected: string, remedy: string) {
    this.expected = expected;
    this.remedy = remedy;
  }
}

/** What a text of the command line stands for. */
export interface ValueType<T> {
  /** @param now wall-clock time in milliseconds since 1970, for times that are relative */
  parse(text: string, now: number): T | Refusal;
  /** Whether the text may hold a secret, so that no message may show it. */
  readonly secret?: boolean;
}

export const text: ValueType<string> = {
  parse: (value) => (value === '' ? new Refusal('not to be empty', 'Give it a value.') : value),
};

/** One of a closed set of words. */
export function choice<const T extends string>(choices: readonly T[]): ValueType<T> {
  return {
    parse: (value) =>
      choices.find((each) => each === value) ??
      new Refusal(`to be one of ${choices.join(', ')}`, 'Write it in small letters.'),
  };
}

/** A whole number from `least` to `most`, both allowed. */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER): ValueType<number> {
  return {
    parse(value) {
      const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
      if (Number.isSafeInteger(number) && number >= least && number <= most) return number;
      const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
      return new Refusal(`to be a whole number ${range}`, 'Write digits only, such as 100.');
    },
  };
}

const ISO = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * A moment: ISO 8601 (UTC where it names no zone), or a duration before now.
 * Gives milliseconds since 1970.
 */
export const moment: ValueType<number> = {
  parse(value, now) {
    const ago = parseDuration(value);
    if (ago !== undefined && Number.isFinite(ago)) return now - ago;
    const zoned = /T/.test(value) && !/(?:Z|[+-]\d{2}:\d{2})$/.test(value) ? `${value}Z` : value;
    const time = ISO.test(value) ? Date.parse(zoned) : Number.NaN;
    if (!Number.isNaN(time)) return time;
    return new Refusal(
      'to be a time or a duration before now',
      'Use 2026-11-22T10:00:00Z (UTC where no zone is named), 2026-11-22, or 15m, 2h, 7d.',
    );
  },
};

/** A length of time, in milliseconds, that a timer can hold. */
export const duration: ValueType<number> = {
  parse(value) {
    const ms = parseDuration(value);
    if (ms !== undefined && ms <= MAX_TIMER_MS) return ms;
    return new Refusal(
      'to be a duration of at most 24.8 days',
      'Use a number with its unit, such as 30s, 5m.',
    );
  },
};

/** An http or https address. */
export const httpUrl: ValueType<URL> = {
  secret: true,
  parse(value) {
    const url = URL.parse(value);
    if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
    return new Refusal(
      'to be an http or https address',
      'Write it with its scheme, such as http://localhost:4318.',
    );
  },
};

const SIGNAL_PATH = /\/v1\/(?:traces|metrics|logs)\/?$/;

/** The address that an OTLP receiver's paths begin with. */
export const otlpBaseUrl: ValueType<URL> = {
  secret: true,
  parse(value, now) {
    const url = httpUrl.parse(value, now);
    if (url instanceof Refusal || !SIGNAL_PATH.test(url.pathname)) return url;
    return new Refusal(
      'to be the address before the path of a signal',
      'Leave the end, such as /v1/traces, out.',
    );
  },
};

/** An amount for each second: of items, or of bytes. */
export interface Rate {
  readonly amount: number;
  readonly unit: 'items' | 'bytes';
}

const RATE = /^(\d+(?:\.\d+)?)(|B|KiB|MiB|GiB)(?:\/s)?$/;
const RATE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** `500/s` or `500` for items, `4MiB/s` for bytes, each second. */
export const rate: ValueType<Rate> = {
  parse(value) {
    const [matched, digits = '', unit = ''] = RATE.exec(value) ?? [];
    const amount = Number(digits) * (RATE_UNITS[unit] ?? Number.NaN);
    if (matched !== undefined && amount > 0 && Number.isFinite(amount)) {
      return { amount, unit: unit === '' ? 'items' : 'bytes' };
    }
    return new Refusal(
      'to be an amount above 0 for each second',
      'Use 500/s for items, or 64KiB/s, 4MiB/s for bytes.',
    );
  },
};

// RFC 9110: a field name is a token, a value has no control characters.
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*[=:]\s*([\t\u0020-\u007e\u0080-\u00ff]*)$/;

/** A header as `name=value`, or as HTTP writes it, `name: value`. */
export const header: ValueType<readonly [name: string, value: string]> = {
  secret: true,
  parse(value) {
    const [matched, name = '', content = ''] = HEADER.exec(value) ?? [];
    if (matched !== undefined) return [name.toLowerCase(), content.trim()];
    return new Refusal('to be name=value', "Write it such as --header 'authorization=Bearer ...'.");
  },
};
