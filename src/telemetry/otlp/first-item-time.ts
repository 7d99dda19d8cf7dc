import type { Signal } from '../semconv.ts';

/** When an item came to be: the end of a span, the time of a point, the observation of a record. */
const TIMES: Readonly<Record<Signal, RegExp>> = {
  traces: /"endTimeUnixNano":"?(\d{13,19})/,
  metrics: /"timeUnixNano":"?(\d{13,19})/,
  logs: /"observedTimeUnixNano":"?(\d{13,19})/,
};
const NANOSECONDS_PER_MS = 1_000_000n;
// The first item's time stands behind the resource, which has a bounded number of attributes.
const LOOKED_AT_BYTES = 65_536;

/** When the first item of a line came to be, in milliseconds since 1970; `undefined` where the first 64 KiB do not say. */
export function firstItemTime(signal: Signal, line: Uint8Array): number | undefined {
  const start = Buffer.from(line.buffer, line.byteOffset, Math.min(line.byteLength, LOOKED_AT_BYTES));
  const found = TIMES[signal].exec(start.toString('latin1'))?.[1];
  return found === undefined ? undefined : Number(BigInt(found) / NANOSECONDS_PER_MS);
}
