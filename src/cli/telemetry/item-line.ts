import { formatDuration } from '../../core/time/duration.ts';
import {
  attributeOf,
  isJsonObject,
  METRIC_TYPES,
  objectsIn,
  readInt64,
  timeOf,
} from '../../telemetry/otlp/read/index.ts';
import type { JsonObject, OtlpItem } from '../../telemetry/otlp/read/index.ts';
import type { Output } from '../frame/output.ts';
import { printable } from '../frame/printable.ts';

const ERROR_STATUS: readonly unknown[] = [2, 'STATUS_CODE_ERROR'];
const WARN_SEVERITY = 13;
const ERROR_SEVERITY = 17;
const NANOSECONDS_PER_MS = 1e6;

/** An item as one JSON object: what it is, and its parts as they were sent. */
export function itemDocument({ signal, resource, scope, entry, point }: OtlpItem): object {
  if (signal === 'traces') return { signal, resource, scope, span: entry };
  if (signal === 'logs') return { signal, resource, scope, record: entry };
  const metric = Object.fromEntries(
    Object.entries(entry).filter(([key]) => !METRIC_TYPES.some((type) => type === key)),
  );
  const type = METRIC_TYPES.find((each) => entry[each] !== undefined);
  return { signal, resource, scope, metric: { ...metric, type }, point };
}

/** An item as one line for people: time, signal, service, and what the signal has to say. */
export function itemLine(item: OtlpItem, output: Output): string {
  const time = timeOf(item.point ?? item.entry);
  const service = attributeOf(item.resource, 'service.name');
  const parts = [
    output.style('dim', time === undefined ? '-' : new Date(time).toISOString()),
    item.signal.padEnd('metrics'.length),
    shown(service ?? '-'),
    ...PARTS[item.signal](item, output),
  ];
  return parts.filter((part) => part !== '').join('  ');
}

const PARTS: Readonly<Record<OtlpItem['signal'], (item: OtlpItem, output: Output) => readonly string[]>> = {
  traces({ entry }, output) {
    const status = isJsonObject(entry['status']) ? entry['status'] : {};
    const isError = ERROR_STATUS.includes(status['code']);
    return [
      shown(entry['name'] ?? '-'),
      spanDuration(entry),
      isError ? output.style('red', `error ${shown(status['message'] ?? '')}`.trimEnd()) : 'ok',
      output.style('dim', shown(entry['traceId'] ?? '')),
    ];
  },
  logs({ entry }, output) {
    const severity = Number(entry['severityNumber'] ?? 0);
    const level = shown(entry['severityText'] ?? severity);
    const style = severity >= ERROR_SEVERITY ? 'red' : 'yellow';
    const body = isJsonObject(entry['body']) ? Object.values(entry['body'])[0] : undefined;
    return [
      severity >= WARN_SEVERITY ? output.style(style, level) : level,
      shown(entry['eventName'] ?? ''),
      shown(body ?? ''),
      output.style('dim', shown(entry['traceId'] ?? '')),
    ];
  },
  metrics({ entry, point = {} }) {
    const attributes = objectsIn(point['attributes']).map(({ key }) => {
      const name = String(key);
      return `${shown(name)}=${shown(attributeOf(point, name))}`;
    });
    return [
      shown(entry['name'] ?? '-'),
      `${pointValue(point)} ${shown(entry['unit'] ?? '')}`.trimEnd(),
      attributes.join(' '),
    ];
  },
};

function spanDuration(span: JsonObject): string {
  const start = readInt64(span['startTimeUnixNano']);
  const end = readInt64(span['endTimeUnixNano']);
  return start === undefined || end === undefined
    ? '-'
    : formatDuration(Number(end - start) / NANOSECONDS_PER_MS);
}

function pointValue(point: JsonObject): string {
  const single = point['asInt'] ?? point['asDouble'];
  if (single !== undefined) return shown(single);
  return ['count', 'sum', 'min', 'max']
    .filter((key) => point[key] !== undefined)
    .map((key) => `${key}=${shown(point[key])}`)
    .join(' ');
}

function shown(value: unknown): string {
  return printable(typeof value === 'string' ? value : (JSON.stringify(value) ?? '-'));
}
