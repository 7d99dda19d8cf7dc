import type { Signal } from '../../semconv.ts';
import { isJsonObject, METRIC_TYPES } from '../shape.ts';
import type { JsonObject } from '../shape.ts';
import { itemsOf, readInt64 } from './request.ts';
import type { OtlpItem } from './request.ts';

const UINT64_LIMIT = 1n << 64n;
const TRACE_ID = /^(?!0+$)[0-9a-f]{32}$/i;
const SPAN_ID = /^(?!0+$)[0-9a-f]{16}$/i;
const TEMPORALITIES: readonly unknown[] = [
  1,
  2,
  'AGGREGATION_TEMPORALITY_DELTA',
  'AGGREGATION_TEMPORALITY_CUMULATIVE',
];

type Report = (problem: string) => void;

/**
 * Finds what a receiver would refuse or misread in a request: ids that are not hex (OTLP's exception from proto3 JSON), times that are no 64-bit
 * nanoseconds, metrics without exactly one type of data, bucket counts that do not fit their bounds.
 *
 * @returns one text for each problem, each with the position of the item in the line
 */
export function shapeProblems(signal: Signal, body: JsonObject): readonly string[] {
  const found: string[] = [];
  if (Object.keys(body).length !== 1) found.push('it has more keys than the one of its signal');
  let index = 0;
  let metric: JsonObject | undefined;
  for (const item of itemsOf(signal, body)) {
    index += 1;
    const report = (problem: string): void => {
      found.push(`${ITEM_NAMES[signal]} ${index}: ${problem}`);
    };
    if (item.entry !== metric && signal === 'metrics') checkMetric((metric = item.entry), report);
    CHECKS[signal](item, report);
  }
  return found;
}

const ITEM_NAMES: Readonly<Record<Signal, string>> = { traces: 'span', metrics: 'point', logs: 'record' };

const CHECKS: Readonly<Record<Signal, (item: OtlpItem, report: Report) => void>> = {
  traces({ entry }, report) {
    checkId(entry, 'traceId', TRACE_ID, report);
    checkId(entry, 'spanId', SPAN_ID, report);
    if (entry['parentSpanId'] !== undefined && entry['parentSpanId'] !== '') {
      checkId(entry, 'parentSpanId', SPAN_ID, report);
    }
    if (typeof entry['name'] !== 'string') report('expected a `name`');
    checkTime(entry, 'startTimeUnixNano', report);
    checkTime(entry, 'endTimeUnixNano', report);
  },
  metrics({ point }, report) {
    if (!point) return;
    checkTime(point, 'timeUnixNano', report);
    const { bucketCounts, explicitBounds } = point;
    if (!Array.isArray(bucketCounts) || !Array.isArray(explicitBounds)) return;
    if (bucketCounts.length > 0 && bucketCounts.length !== explicitBounds.length + 1) {
      report(`expected one bucket more than bounds, got ${bucketCounts.length} and ${explicitBounds.length}`);
    }
  },
  logs({ entry }, report) {
    if (entry['traceId'] !== undefined && entry['traceId'] !== '')
      checkId(entry, 'traceId', TRACE_ID, report);
    if (entry['spanId'] !== undefined && entry['spanId'] !== '') checkId(entry, 'spanId', SPAN_ID, report);
    const times = ['timeUnixNano', 'observedTimeUnixNano'].filter((key) => entry[key] !== undefined);
    if (times.length === 0) report('expected `timeUnixNano` or `observedTimeUnixNano`');
    for (const key of times) checkTime(entry, key, report);
  },
};

function checkMetric(metric: JsonObject, report: Report): void {
  if (typeof metric['name'] !== 'string' || metric['name'] === '') report('expected a `name` of its metric');
  const types = METRIC_TYPES.filter((type) => metric[type] !== undefined);
  if (types.length !== 1) report(`expected its metric to have one kind of data, got ${types.length}`);
  for (const type of ['sum', 'histogram', 'exponentialHistogram']) {
    const data = metric[type];
    if (isJsonObject(data) && !TEMPORALITIES.includes(data['aggregationTemporality'])) {
      report('expected its metric to be delta or cumulative');
    }
  }
}

function checkId(holder: JsonObject, key: string, pattern: RegExp, report: Report): void {
  const id = holder[key];
  if (typeof id === 'string' && pattern.test(id)) return;
  const digits = pattern === TRACE_ID ? 32 : 16;
  report(`expected \`${key}\` to be ${digits} hex digits and not all zero`);
}

function checkTime(holder: JsonObject, key: string, report: Report): void {
  const time = readInt64(holder[key]);
  if (time === undefined || time < 0n || time >= UINT64_LIMIT) {
    report(`expected \`${key}\` to be nanoseconds since 1970`);
  }
}
