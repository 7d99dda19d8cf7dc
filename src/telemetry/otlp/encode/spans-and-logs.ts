import type { Attributes, SpanContext } from '@opentelemetry/api';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Signal } from '../../semconv.ts';
import { LEVELS } from '../shape.ts';
import { redactedAttributes, redactedMessage, redactedValue } from './redacted.ts';
import { jsonAttributes, jsonTime } from './values.ts';

/**
 * OTLP's JSON form (proto3 JSON with OTLP's exceptions: ids in hex), written once for each batch: the same bytes go to the file and to the
 * network. Equal to `@opentelemetry/otlp-transformer` for every value that JSON can hold (a test compares the two); where that one writes `null`
 * for NaN and the infinities, and integers beyond 64 bits that receivers refuse the whole batch for, this one follows proto3 JSON.
 * Secrets in spans and log records are taken out here, before anything is on disk or sent.
 * Specification: opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding and protobuf.dev/programming-guides/json.
 */

const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;
const TRACE_FLAGS = 0xff;

/** @returns the `Resource` message */
export function jsonResource(resource: Resource): {
  readonly schemaUrl: string | undefined;
  readonly body: object;
} {
  const schemaUrl = resource.schemaUrl === '' ? undefined : resource.schemaUrl;
  const body = { attributes: jsonAttributes(resource.attributes), droppedAttributesCount: 0 };
  return { schemaUrl, body: schemaUrl === undefined ? body : { ...body, schemaUrl } };
}

/** @returns the `InstrumentationScope` message */
export function jsonScope(
  scope: InstrumentationScope & {
    readonly attributes?: Attributes;
    readonly droppedAttributesCount?: number;
  },
): object {
  const result = { name: scope.name, version: scope.version };
  if (!scope.attributes || Object.keys(scope.attributes).length === 0) return result;
  return {
    ...result,
    attributes: jsonAttributes(scope.attributes),
    droppedAttributesCount: scope.droppedAttributesCount ?? 0,
  };
}

interface Scoped {
  readonly resource: Resource;
  readonly instrumentationScope: InstrumentationScope;
}

/** Groups by resource, then by scope, in the order in which they come. */
function grouped<T extends Scoped>(items: readonly T[]): Map<Resource, Map<string, T[]>> {
  const byResource = new Map<Resource, Map<string, T[]>>();
  for (const item of items) {
    const scope = item.instrumentationScope;
    const key = `${scope.name}@${scope.version ?? ''}:${scope.schemaUrl ?? ''}`;
    let byScope = byResource.get(item.resource);
    if (!byScope) byResource.set(item.resource, (byScope = new Map()));
    const list = byScope.get(key);
    if (list) list.push(item);
    else byScope.set(key, [item]);
  }
  return byResource;
}

function request<T extends Scoped>(
  signal: Signal,
  items: readonly T[],
  encode: (item: T) => object,
): Uint8Array {
  const levels = LEVELS[signal];
  const body = Array.from(grouped(items), ([resource, scopes]) => {
    const encoded = jsonResource(resource);
    return {
      resource: encoded.body,
      [levels.scopes]: Array.from(scopes.values(), (group) => ({
        scope: group[0] === undefined ? {} : jsonScope(group[0].instrumentationScope),
        [levels.items]: group.map(encode),
        schemaUrl: group[0]?.instrumentationScope.schemaUrl,
      })),
      schemaUrl: encoded.schemaUrl,
    };
  });
  return Buffer.from(JSON.stringify({ [levels.resources]: body }));
}

function spanFlags(context: SpanContext | undefined, traceFlags: number): number {
  return (traceFlags & TRACE_FLAGS) | HAS_IS_REMOTE | (context?.isRemote === true ? IS_REMOTE : 0);
}

function jsonSpan(span: ReadableSpan): object {
  const context = span.spanContext();
  const parent = span.parentSpanContext;
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    parentSpanId: parent?.spanId === '' ? undefined : parent?.spanId,
    traceState: context.traceState?.serialize(),
    name: span.name,
    kind: span.kind + 1,
    startTimeUnixNano: jsonTime(span.startTime),
    endTimeUnixNano: jsonTime(span.endTime),
    attributes: redactedAttributes(span.attributes),
    droppedAttributesCount: span.droppedAttributesCount,
    events: span.events.map((event) => ({
      attributes: redactedAttributes(event.attributes),
      name: event.name,
      timeUnixNano: jsonTime(event.time),
      droppedAttributesCount: event.droppedAttributesCount ?? 0,
    })),
    droppedEventsCount: span.droppedEventsCount,
    status: { code: span.status.code, message: redactedMessage(span.status.message) },
    links: span.links.map((link) => ({
      attributes: redactedAttributes(link.attributes),
      spanId: link.context.spanId,
      traceId: link.context.traceId,
      traceState: link.context.traceState?.serialize(),
      droppedAttributesCount: link.droppedAttributesCount ?? 0,
      flags: spanFlags(link.context, link.context.traceFlags),
    })),
    droppedLinksCount: span.droppedLinksCount,
    flags: spanFlags(parent, context.traceFlags),
  };
}

function jsonLogRecord(record: ReadableLogRecord): object {
  return {
    timeUnixNano: jsonTime(record.hrTime),
    observedTimeUnixNano: jsonTime(record.hrTimeObserved),
    severityNumber: record.severityNumber,
    severityText: record.severityText,
    body: redactedValue(record.body),
    eventName: record.eventName,
    attributes: redactedAttributes(record.attributes),
    droppedAttributesCount: record.droppedAttributesCount,
    flags: record.spanContext?.traceFlags,
    traceId: record.spanContext?.traceId,
    spanId: record.spanContext?.spanId,
  };
}

/** @returns an `ExportTraceServiceRequest` as one line of JSON */
export function encodeSpans(spans: readonly ReadableSpan[]): Uint8Array {
  return request('traces', spans, jsonSpan);
}

/** @returns an `ExportLogsServiceRequest` as one line of JSON */
export function encodeLogs(records: readonly ReadableLogRecord[]): Uint8Array {
  return request('logs', records, jsonLogRecord);
}

/** The items of a batch that can be encoded by themselves. */
export function writableItems<T>(
  batch: readonly T[],
  encode: (batch: readonly T[]) => Uint8Array,
): readonly T[] {
  return batch.filter((item) => {
    try {
      encode([item]);
      return true;
    } catch {
      return false;
    }
  });
}
