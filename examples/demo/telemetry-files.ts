import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** How many spans, metric points and log records lie in a folder. */
export interface RecordCounts {
  readonly traces: number;
  readonly metrics: number;
  readonly logs: number;
}

/** The lists of an OTLP request in JSON, from the outside in; the innermost ones hold the records. */
const LEVELS = {
  traces: [['resourceSpans'], ['scopeSpans'], ['spans']],
  metrics: [
    ['resourceMetrics'],
    ['scopeMetrics'],
    ['metrics'],
    ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'],
    ['dataPoints'],
  ],
  logs: [['resourceLogs'], ['scopeLogs'], ['logRecords']],
} as const;

function below(value: unknown, keys: readonly string[]): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return keys.flatMap((key) => {
    const child: unknown = Reflect.get(value, key);
    return Array.isArray(child) ? (child as unknown[]) : child === undefined ? [] : [child];
  });
}

/** Every line of one signal's files below `folder`, archives included. */
export function* telemetryLines(
  folder: string,
  signal: keyof typeof LEVELS,
): Generator<{ readonly file: string; readonly line: string }> {
  for (const file of globSync([`${signal}/*.jsonl`, `${signal}/*.jsonl.gz`], { cwd: folder })) {
    const bytes = readFileSync(join(folder, file));
    const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
    for (const line of text.split('\n')) if (line !== '') yield { file, line };
  }
}

/** Every record of one signal below `folder`. */
export function* recordsIn(folder: string, signal: keyof typeof LEVELS): Generator {
  for (const { line } of telemetryLines(folder, signal)) {
    let found: readonly unknown[] = [JSON.parse(line)];
    for (const keys of LEVELS[signal]) found = found.flatMap((value) => below(value, keys));
    yield* found;
  }
}

/** Counts the records below `folder` by signal. */
export function countRecords(folder: string): RecordCounts {
  const count = (signal: keyof typeof LEVELS): number =>
    recordsIn(folder, signal).reduce((sum: number) => sum + 1, 0);
  return { traces: count('traces'), metrics: count('metrics'), logs: count('logs') };
}
