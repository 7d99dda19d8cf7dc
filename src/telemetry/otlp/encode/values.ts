import type { AnyValue, Attributes, HrTime } from '@opentelemetry/api';

/** Values in OTLP's JSON form. Specification: protobuf.dev/programming-guides/json. */

const INT64_LIMIT = 2 ** 63;
const NANOSECONDS = 1_000_000_000n;

/** A double as proto3 JSON writes it: what JSON has no number for is a string. */
export function jsonDouble(value: number): number | string {
  if (Number.isFinite(value)) return value;
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? 'Infinity' : '-Infinity';
}

/** Whether a number can be written as a 64-bit integer. */
export function isInt64(value: number): boolean {
  return Number.isInteger(value) && value >= -INT64_LIMIT && value < INT64_LIMIT;
}

/** An integer for a 64-bit field: as a string once JSON readers could round it. */
export function jsonInt(value: number): number | string {
  return Number.isSafeInteger(value) ? value : BigInt(Math.trunc(value)).toString();
}

/** Time as nanoseconds since 1970, in a string. */
export function jsonTime(time: HrTime): string {
  const [seconds, nanoseconds] = time;
  // As digits side by side, which is what all clocks give.
  if (
    Number.isSafeInteger(seconds) &&
    seconds > 0 &&
    Number.isSafeInteger(nanoseconds) &&
    nanoseconds >= 0 &&
    nanoseconds < 1e9
  ) {
    return `${seconds}${String(1e9 + nanoseconds).slice(1)}`;
  }
  return (BigInt(Math.trunc(seconds)) * NANOSECONDS + BigInt(Math.trunc(nanoseconds))).toString();
}

const MAX_DEPTH = 64;

/** Objects around a value, the outermost first. */
export type Above = readonly object[];

/**
 * Encodes an object. The values in it come from any library: a circle, an object that throws when it is read and one that is nested too deeply
 * become a text that says so, and the rest of the batch stays.
 * @param above the objects around it
 * @param encode gives the message; takes the objects around what is inside
 */
export function nestedValue(value: object, above: Above, encode: (inside: Above) => object): object {
  if (above.includes(value)) return { stringValue: '[circular]' };
  if (above.length >= MAX_DEPTH) return { stringValue: '[too deep]' };
  try {
    return encode([...above, value]);
  } catch {
    return { stringValue: '[unreadable]' };
  }
}

/** @returns the `AnyValue` message; empty for `undefined` and `null`, as the specification asks, and for what has no place in it */
export function jsonValue(value: AnyValue, above: Above = []): object {
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { boolValue: value };
    case 'number':
      return isInt64(value) ? { intValue: jsonInt(value) } : { doubleValue: jsonDouble(value) };
    case 'object':
      if (value === null) return {};
      return nestedValue(value, above, (inside) => {
        if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString('base64') };
        if (Array.isArray(value))
          return { arrayValue: { values: value.map((item) => jsonValue(item, inside)) } };
        const values = Object.entries(value).map(([key, item]) => ({ key, value: jsonValue(item, inside) }));
        return { kvlistValue: { values } };
      });
    default:
      return {};
  }
}

/** @returns the list of `KeyValue` messages */
export function jsonAttributes(attributes: Attributes | undefined): object[] {
  if (!attributes) return [];
  return Object.keys(attributes).map((key) => ({ key, value: jsonValue(attributes[key]) }));
}
