import type { Signal } from '../semconv.ts';
import { TIME_FIELDS } from './shape.ts';

const timePattern = (signal: Signal): RegExp => new RegExp(`"${TIME_FIELDS[signal].time}":"?(\\d{13,19})`);

const TIMES: Readonly<Record<Signal, RegExp>> = {
  traces: timePattern('traces'),
  metrics: timePattern('metrics'),
  logs: timePattern('logs'),
};
const NANOSECONDS_PER_MS = 1_000_000n;
// The first item follows the resource, which has a bounded number of attributes.
const LOOKED_AT_BYTES = 65_536;

/**
 * Finds when the first item of a line came to be, without parsing it.
 * @returns milliseconds since 1970; `undefined` if the first 64 KiB hold no time
 */
export function firstItemTime(signal: Signal, line: Uint8Array): number | undefined {
  const start = Buffer.from(line.buffer, line.byteOffset, Math.min(line.byteLength, LOOKED_AT_BYTES));
  const found = TIMES[signal].exec(start.toString('latin1'))?.[1];
  return found === undefined ? undefined : Number(BigInt(found) / NANOSECONDS_PER_MS);
}
