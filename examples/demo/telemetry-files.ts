import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

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

/** Every record of one signal in the JSON lines below `folder`. */
export function* recordsIn(folder: string, signal: keyof typeof LEVELS): Generator {
  for (const file of globSync(`${signal}/*.jsonl`, { cwd: folder })) {
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
      if (line === '') continue;
      let found: readonly unknown[] = [JSON.parse(line)];
      for (const keys of LEVELS[signal]) found = found.flatMap((value) => below(value, keys));
      yield* found;
    }
  }
}

/** Counts the records below `folder` by signal. */
export function countRecords(folder: string): RecordCounts {
  const count = (signal: keyof typeof LEVELS): number =>
    recordsIn(folder, signal).reduce((sum: number) => sum + 1, 0);
  return { traces: count('traces'), metrics: count('metrics'), logs: count('logs') };
}
