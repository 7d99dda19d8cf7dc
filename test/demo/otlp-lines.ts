import { telemetryLines } from '../../examples/demo/telemetry-files.ts';

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number | string };
}

interface Attributed {
  readonly attributes?: readonly Attribute[];
}

/** A span as OTLP JSON has it, with its service. */
export interface Span extends Attributed {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly links?: readonly { readonly spanId: string }[];
}

/** A log record with its service. */
export interface LogRecord extends Attributed {
  readonly service: string;
  readonly eventName?: string;
  readonly traceId?: string;
}

/** A point of a sum, with its service and its metric. */
export interface SumPoint extends Attributed {
  readonly service: string;
  readonly metric: string;
  readonly file: string;
  readonly timeUnixNano: string;
  readonly asInt?: number | string;
  readonly asDouble?: number;
}

interface Resource {
  readonly resource: Attributed;
}

interface TracesLine {
  readonly resourceSpans: readonly (Resource & {
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  })[];
}

interface LogsLine {
  readonly resourceLogs: readonly (Resource & {
    readonly scopeLogs: readonly { readonly logRecords: readonly LogRecord[] }[];
  })[];
}

interface MetricsLine {
  readonly resourceMetrics: readonly (Resource & {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly sum?: { readonly dataPoints: readonly SumPoint[] };
      }[];
    }[];
  })[];
}

function* linesOf<L>(
  folder: string,
  signal: 'traces' | 'metrics' | 'logs',
): Generator<{ readonly file: string; readonly line: L }> {
  for (const { file, line } of telemetryLines(folder, signal)) yield { file, line: JSON.parse(line) as L };
}

/** The value of an attribute, as text. */
export function attribute({ attributes = [] }: Attributed, key: string): string | undefined {
  const value = attributes.find((each) => each.key === key)?.value;
  return value === undefined ? undefined : String(value.stringValue ?? value.intValue);
}

const serviceOf = ({ resource }: Resource): string => attribute(resource, 'service.name') ?? '';

/** Every span below a telemetry folder. */
export function readSpans(folder: string): readonly Span[] {
  return [...linesOf<TracesLine>(folder, 'traces')].flatMap(({ line }) =>
    line.resourceSpans.flatMap((part) =>
      part.scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, service: serviceOf(part) }))),
    ),
  );
}

/** Every log record below a telemetry folder. */
export function readLogs(folder: string): readonly LogRecord[] {
  return [...linesOf<LogsLine>(folder, 'logs')].flatMap(({ line }) =>
    line.resourceLogs.flatMap((part) =>
      part.scopeLogs.flatMap(({ logRecords }) =>
        logRecords.map((log) => ({ ...log, service: serviceOf(part) })),
      ),
    ),
  );
}

/** Every point of every sum below a telemetry folder. */
export function readSums(folder: string): readonly SumPoint[] {
  return [...linesOf<MetricsLine>(folder, 'metrics')].flatMap(({ file, line }) =>
    line.resourceMetrics.flatMap((part) =>
      part.scopeMetrics.flatMap(({ metrics }) =>
        metrics.flatMap(({ name, sum }) =>
          (sum?.dataPoints ?? []).map((point) => ({
            ...point,
            service: serviceOf(part),
            metric: name,
            file,
          })),
        ),
      ),
    ),
  );
}

/** What a cumulative sum came to, by the values of one attribute. */
export function finalSums(
  points: readonly SumPoint[],
  metric: string,
  key: string,
): Readonly<Record<string, number>> {
  const latest = new Map<string, SumPoint>();
  for (const point of points.filter((each) => each.metric === metric)) {
    const series = `${point.file} ${JSON.stringify(point.attributes)}`;
    const known = latest.get(series);
    if (!known || BigInt(known.timeUnixNano) <= BigInt(point.timeUnixNano)) latest.set(series, point);
  }
  const sums: Record<string, number> = {};
  for (const point of latest.values()) {
    const name = attribute(point, key) ?? '';
    sums[name] = (sums[name] ?? 0) + Number(point.asInt ?? point.asDouble ?? 0);
  }
  return sums;
}
