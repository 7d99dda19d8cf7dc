/**
 * Reads what the SDK's protobuf exporters write, for the comparison with OTLP as JSON. Both end up in one plain form: fields by their JSON names, ids
 * and bytes in hex, 64-bit integers as texts, doubles as numbers, and what has its default left out.
 * Sources: opentelemetry-proto 1.x; protobuf.dev/programming-guides/encoding.
 */

type Scalar =
  | 'string'
  | 'bool'
  | 'int64'
  | 'fixed64'
  | 'sfixed64'
  | 'double'
  | 'bytes'
  | 'uint32'
  | 'fixed32'
  | 'sint32';

interface Field {
  readonly name: string;
  readonly type: string;
  readonly list?: boolean;
  /** Kept at its default too: part of a oneof, or optional. */
  readonly present?: boolean;
}

const SCALARS = new Set<string>([
  'string',
  'bool',
  'int64',
  'fixed64',
  'sfixed64',
  'double',
  'bytes',
  'uint32',
  'fixed32',
  'sint32',
] satisfies Scalar[]);

/** `number name type`, with `*` for a list and `?` for a field that is kept at its default. */
function message(...lines: readonly string[]): ReadonlyMap<number, Field> {
  return new Map(
    lines.map((line) => {
      const [number, name = '', type = ''] = line.split(' ');
      const field = {
        name,
        type: type.replace(/[*?]$/, ''),
        list: type.endsWith('*'),
        present: type.endsWith('?'),
      };
      return [Number(number), field];
    }),
  );
}

const TIMES = ['2 startTimeUnixNano fixed64', '3 timeUnixNano fixed64'] as const;
const POINTS = (type: string): readonly string[] => [
  `1 dataPoints ${type}*`,
  '2 aggregationTemporality uint32',
];

const MESSAGES: Readonly<Record<string, ReadonlyMap<number, Field>>> = {
  AnyValue: message(
    '1 stringValue string?',
    '2 boolValue bool?',
    '3 intValue int64?',
    '4 doubleValue double?',
    '5 arrayValue ArrayValue',
    '6 kvlistValue KeyValueList',
    '7 bytesValue bytes?',
  ),
  ArrayValue: message('1 values AnyValue*'),
  KeyValueList: message('1 values KeyValue*'),
  KeyValue: message('1 key string', '2 value AnyValue'),
  Scope: message(
    '1 name string',
    '2 version string',
    '3 attributes KeyValue*',
    '4 droppedAttributesCount uint32',
  ),
  Resource: message('1 attributes KeyValue*', '2 droppedAttributesCount uint32'),
  traces: message('1 resourceSpans ResourceSpans*'),
  ResourceSpans: message('1 resource Resource', '2 scopeSpans ScopeSpans*', '3 schemaUrl string'),
  ScopeSpans: message('1 scope Scope', '2 spans Span*', '3 schemaUrl string'),
  Span: message(
    '1 traceId bytes',
    '2 spanId bytes',
    '3 traceState string',
    '4 parentSpanId bytes',
    '5 name string',
    '6 kind uint32',
    '7 startTimeUnixNano fixed64',
    '8 endTimeUnixNano fixed64',
    '9 attributes KeyValue*',
    '10 droppedAttributesCount uint32',
    '11 events Event*',
    '12 droppedEventsCount uint32',
    '13 links Link*',
    '14 droppedLinksCount uint32',
    '15 status Status',
    '16 flags fixed32',
  ),
  Event: message(
    '1 timeUnixNano fixed64',
    '2 name string',
    '3 attributes KeyValue*',
    '4 droppedAttributesCount uint32',
  ),
  Link: message(
    '1 traceId bytes',
    '2 spanId bytes',
    '3 traceState string',
    '4 attributes KeyValue*',
    '5 droppedAttributesCount uint32',
    '6 flags fixed32',
  ),
  Status: message('2 message string', '3 code uint32'),
  logs: message('1 resourceLogs ResourceLogs*'),
  ResourceLogs: message('1 resource Resource', '2 scopeLogs ScopeLogs*', '3 schemaUrl string'),
  ScopeLogs: message('1 scope Scope', '2 logRecords LogRecord*', '3 schemaUrl string'),
  LogRecord: message(
    '1 timeUnixNano fixed64',
    '2 severityNumber uint32',
    '3 severityText string',
    '5 body AnyValue',
    '6 attributes KeyValue*',
    '7 droppedAttributesCount uint32',
    '8 flags fixed32',
    '9 traceId bytes',
    '10 spanId bytes',
    '11 observedTimeUnixNano fixed64',
    '12 eventName string',
  ),
  metrics: message('1 resourceMetrics ResourceMetrics*'),
  ResourceMetrics: message('1 resource Resource', '2 scopeMetrics ScopeMetrics*', '3 schemaUrl string'),
  ScopeMetrics: message('1 scope Scope', '2 metrics Metric*', '3 schemaUrl string'),
  Metric: message(
    '1 name string',
    '2 description string',
    '3 unit string',
    '5 gauge Gauge',
    '7 sum Sum',
    '9 histogram Histogram',
    '10 exponentialHistogram ExponentialHistogram',
  ),
  Gauge: message('1 dataPoints NumberPoint*'),
  Sum: message(...POINTS('NumberPoint'), '3 isMonotonic bool'),
  Histogram: message(...POINTS('HistogramPoint')),
  ExponentialHistogram: message(...POINTS('ExponentialPoint')),
  NumberPoint: message(...TIMES, '4 asDouble double?', '6 asInt sfixed64?', '7 attributes KeyValue*'),
  HistogramPoint: message(
    ...TIMES,
    '4 count fixed64',
    '5 sum double?',
    '6 bucketCounts fixed64*',
    '7 explicitBounds double*',
    '9 attributes KeyValue*',
    '11 min double?',
    '12 max double?',
  ),
  ExponentialPoint: message(
    '1 attributes KeyValue*',
    ...TIMES,
    '4 count fixed64',
    '5 sum double?',
    '6 scale sint32',
    '7 zeroCount fixed64',
    '8 positive Buckets',
    '9 negative Buckets',
    '12 min double?',
    '13 max double?',
  ),
  Buckets: message('1 offset sint32', '2 bucketCounts int64*'),
};

interface Plain {
  [name: string]: unknown;
}

function fieldsOf(type: string): ReadonlyMap<number, Field> {
  const fields = MESSAGES[type];
  if (!fields) throw new Error(`There is no message ${type}.`);
  return fields;
}

/** Drops what has its default, so that a field that is absent equals one that was written as 0. */
function put(target: Plain, { name, list, present }: Field, value: unknown): void {
  if (list === true) {
    const values = (target[name] ?? []) as unknown[];
    values.push(value);
    target[name] = values;
    return;
  }
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  const isDefault = value === '' || value === 0 || value === false || value === '0' || isEmpty;
  if (present !== true && isDefault) return;
  target[name] = value;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

class ProtobufReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  message(type: string): Plain {
    const fields = fieldsOf(type);
    const plain: Plain = {};
    while (this.#at < this.#bytes.byteLength) {
      const tag = Number(this.#varint());
      const field = fields.get(tag >> 3);
      if (!field) throw new Error(`${type} has no field ${tag >> 3}.`);
      if ((tag & 7) === 2 && field.list === true && SCALARS.has(field.type) && field.type !== 'string') {
        const packed = new ProtobufReader(this.#chunk());
        while (packed.#at < packed.#bytes.byteLength) put(plain, field, packed.#value(field.type));
      } else put(plain, field, this.#value(field.type));
    }
    return plain;
  }

  #value(type: string): unknown {
    switch (type) {
      case 'string':
        return this.#chunk().toString('utf8');
      case 'bytes':
        return hex(this.#chunk());
      case 'bool':
        return this.#varint() !== 0n;
      case 'int64':
        return BigInt.asIntN(64, this.#varint()).toString();
      case 'uint32':
        return Number(this.#varint());
      case 'sint32': {
        const zigzag = Number(this.#varint());
        return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      }
      case 'fixed32':
        return this.#fixed(4).readUInt32LE();
      case 'fixed64':
        return this.#fixed(8).readBigUInt64LE().toString();
      case 'sfixed64':
        return this.#fixed(8).readBigInt64LE().toString();
      case 'double':
        return this.#fixed(8).readDoubleLE() + 0;
      default:
        return new ProtobufReader(this.#chunk()).message(type);
    }
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  #fixed(size: number): Buffer {
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  #chunk(): Buffer {
    return this.#fixed(Number(this.#varint()));
  }
}

/** What a protobuf exporter sends, in the plain form. */
export function plainFromProtobuf(signal: 'traces' | 'metrics' | 'logs', bytes: Uint8Array): unknown {
  return new ProtobufReader(bytes).message(signal);
}

/** What OTLP as JSON says, in the plain form, read as proto3 JSON asks. */
export function plainFromJson(signal: 'traces' | 'metrics' | 'logs', bytes: Uint8Array): unknown {
  return plainMessage(signal, JSON.parse(Buffer.from(bytes).toString('utf8')) as Plain);
}

const IDS = new Set(['traceId', 'spanId', 'parentSpanId']);

function plainMessage(type: string, json: Plain): Plain {
  const plain: Plain = {};
  const fields = [...fieldsOf(type).values()];
  for (const [name, value] of Object.entries(json)) {
    const field = fields.find((each) => each.name === name);
    // `schemaUrl` stands in the resource too, where the protocol has no such field; receivers pass over it.
    if (!field && name === 'schemaUrl') continue;
    if (!field) throw new Error(`${type} has no field ${name}.`);
    for (const each of field.list === true ? (value as readonly unknown[]) : [value]) {
      put(plain, field, plainValue(field, each));
    }
  }
  return plain;
}

function plainValue({ name, type }: Field, value: unknown): unknown {
  switch (type) {
    case 'int64':
    case 'fixed64':
    case 'sfixed64':
      return BigInt(value as number | string).toString();
    case 'double':
      return Number(value) + 0;
    case 'bytes':
      return IDS.has(name) ? value : hex(Buffer.from(String(value), 'base64'));
    default:
      return SCALARS.has(type) ? value : plainMessage(type, value as Plain);
  }
}
