import type { Attributes, BatchObservableResult, Meter, MeterProvider, Observable } from '@opentelemetry/api';
import { createObservable } from './observable.ts';
import type { MetricDefinition } from './semconv.ts';

/** Takes one value of a metric. A value that is `undefined` or no finite number is left out. */
export type Observe = (value: number | undefined, attributes?: Attributes) => void;

/** A metric, and how its values are read from a source. What `read` returns is ignored. */
export type MetricRow<S> = readonly [
  definition: MetricDefinition,
  read: (source: S, observe: Observe) => unknown,
];

/** Whoever has sources to read. */
export interface Reader<S> {
  readonly rows: readonly MetricRow<S>[];
  readonly sources: Iterable<S>;
  /** Sources of one name are one to whoever looks at the metrics; `undefined` for a source that is like no other. */
  nameOf(source: S): string | undefined;
  /** Attributes of every value of a source. */
  attributesOf(source: S): Attributes;
  /** Runs `body`, and counts what it throws. */
  safely(body: () => unknown): void;
}

/** The readers of the same rows at one provider. */
interface Readership<S> {
  readonly members: Set<Reader<S>>;
  readonly stop: () => void;
}

/** By provider, then by the list of rows itself, which says what type of source the readers have. */
const readerships = new WeakMap<MeterProvider, Map<unknown, unknown>>();

/**
 * Reads the sources of `reader` when somebody collects. Readers of the same rows, such as those of two instances, are read together at one
 * provider: values with the same attributes would hide one another. What such sources count adds up, and of their states that of the newest shows.
 * @returns a function that stops it
 */
export function readAt<S>(provider: MeterProvider, meter: Meter, reader: Reader<S>): () => void {
  const byRows = readerships.get(provider) ?? new Map<unknown, unknown>();
  readerships.set(provider, byRows);
  const known = byRows.get(reader.rows) as Readership<S> | undefined;
  const readership = known ?? startReading(meter, reader.rows);
  byRows.set(reader.rows, readership);
  readership.members.add(reader);
  return () => {
    readership.members.delete(reader);
    if (readership.members.size > 0) return;
    byRows.delete(reader.rows);
    readership.stop();
  };
}

function startReading<S>(meter: Meter, rows: readonly MetricRow<S>[]): Readership<S> {
  const members = new Set<Reader<S>>();
  const instruments = rows.map(([definition]) => createObservable(meter, definition));
  const callback = (result: BatchObservableResult): void => {
    for (const group of groupsOf(members)) readGroup(group, rows, instruments, result);
  };
  meter.addBatchObservableCallback(callback, instruments);
  return { members, stop: () => meter.removeBatchObservableCallback(callback, instruments) };
}

/** A source, with the one who reads it. */
interface Read<S> {
  readonly source: S;
  readonly reader: Reader<S>;
}

/** Sources of one name together, the newest last. */
function groupsOf<S>(members: Iterable<Reader<S>>): Iterable<readonly Read<S>[]> {
  const all = [...members].flatMap((reader) => [...reader.sources].map((source) => ({ source, reader })));
  return Map.groupBy(all, ({ source, reader }) => reader.nameOf(source) ?? source).values();
}

/** A reader that throws costs its own metric of this source, and nothing else. */
function readGroup<S>(
  group: readonly Read<S>[],
  rows: readonly MetricRow<S>[],
  instruments: readonly Observable[],
  result: BatchObservableResult,
): void {
  for (const [index, [definition, read]] of rows.entries()) {
    const instrument = instruments[index];
    if (!instrument) continue;
    const found = new Map<string, { value: number; readonly attributes: Attributes }>();
    for (const { source, reader } of group) {
      reader.safely(() =>
        read(source, (value, own) => {
          if (value === undefined || !Number.isFinite(value)) return;
          const attributes = { ...reader.attributesOf(source), ...own };
          if (group.length === 1) {
            result.observe(instrument, value, attributes);
            return;
          }
          const key = JSON.stringify(attributes);
          const before = definition.instrument === 'gauge' ? 0 : (found.get(key)?.value ?? 0);
          found.set(key, { value: before + value, attributes });
        }),
      );
    }
    for (const { value, attributes } of found.values()) result.observe(instrument, value, attributes);
  }
}
