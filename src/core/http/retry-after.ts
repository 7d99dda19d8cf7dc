/** `Sun, 06 Nov 1994 08:49:37 GMT`, which all senders of today use. Some write `UTC` or `+0000` for the zone, and days without a zero. */
const IMF_DATE = /^[a-z]{3}, +(\d{1,2}) ([a-z]{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) (?:GMT|UTC|[+-]0000)$/i;
/** `Sunday, 06-Nov-94 08:49:37 GMT`. */
const RFC_850_DATE = /^[a-z]{6,9}, (\d{2})-([a-z]{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/i;
/** `Sun Nov  6 08:49:37 1994`, which is in GMT too. */
const ASCTIME_DATE = /^[a-z]{3} ([a-z]{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/i;
/** Seconds. */
const SECONDS = /^\d{1,10}$/;

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const CENTURY = 100;
/** A year of two digits that would be further ahead than this lies in the past (RFC 9110, section 5.6.7). */
const YEARS_AHEAD = 50;

/** The parts of a date as its text has them. */
interface DateParts {
  readonly year: number;
  readonly month: string;
  readonly day: string;
  readonly time: readonly (string | undefined)[];
}

/**
 * Reads the value of a `Retry-After` header (RFC 9110, section 10.2.3): seconds, or a date in one of the three forms of section 5.6.7.
 * @param value the text of the header
 * @param epochMs now, in milliseconds since 1970
 * @returns milliseconds from now, 0 for a date that has passed; `undefined` for a text of another form
 */
export function parseRetryAfter(value: string, epochMs: number): number | undefined {
  const text = value.trim();
  if (SECONDS.test(text)) return Number(text) * 1_000;
  const parts = partsOf(text, epochMs);
  const date = parts && epochOf(parts);
  return date === undefined ? undefined : Math.max(0, date - epochMs);
}

function partsOf(text: string, epochMs: number): DateParts | undefined {
  const imf = IMF_DATE.exec(text);
  if (imf) {
    const [, day = '', month = '', year, ...time] = imf;
    return { year: Number(year), month, day, time };
  }
  const rfc850 = RFC_850_DATE.exec(text);
  if (rfc850) {
    const [, day = '', month = '', year, ...time] = rfc850;
    return { year: fullYear(Number(year), epochMs), month, day, time };
  }
  const asctime = ASCTIME_DATE.exec(text);
  if (!asctime) return undefined;
  const [, month = '', day = '', hour, minute, second, year] = asctime;
  return { year: Number(year), month, day, time: [hour, minute, second] };
}

/** @returns the year that ends in those two digits, at most 50 years ahead */
function fullYear(digits: number, epochMs: number): number {
  const now = new Date(epochMs).getUTCFullYear();
  const year = now - (now % CENTURY) + digits;
  if (year > now + YEARS_AHEAD) return year - CENTURY;
  return year <= now + YEARS_AHEAD - CENTURY ? year + CENTURY : year;
}

/** @returns milliseconds since 1970; `undefined` for a date that no calendar has */
function epochOf({ year, month, day, time }: DateParts): number | undefined {
  const monthIndex = MONTHS.indexOf(month.toLowerCase());
  const [hour, minute, second] = time.map(Number);
  const epoch = Date.UTC(year, monthIndex, Number(day), hour, minute, second);
  const date = new Date(epoch);
  // A day or an hour beyond its range would run over into the next month or day. A leap second may.
  const isReal = date.getUTCMonth() === monthIndex && date.getUTCDate() === Number(day) && Number(hour) < 24;
  return isReal && Number(minute) < 60 && Number(second) <= 60 ? epoch : undefined;
}
