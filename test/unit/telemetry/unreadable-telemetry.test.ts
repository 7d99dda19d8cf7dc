import type { AnyValue } from '@opentelemetry/api';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { afterEach, describe, expect, test } from 'vitest';
import { TelemetryCounts } from '../../../src/telemetry/counts.ts';
import { redactedValue } from '../../../src/telemetry/otlp/encode/redacted.ts';
import { encodeLogs, writableItems } from '../../../src/telemetry/otlp/encode/spans-and-logs.ts';
import { jsonValue } from '../../../src/telemetry/otlp/encode/values.ts';
import { JournalExporter } from '../../../src/telemetry/sdk/journal-exporter.ts';
import { unreadableValues } from '../../support/unreadable-values.ts';

/** A real record, with fields that a library has set to something else. */
function records(fields: readonly object[]): readonly ReadableLogRecord[] {
  const exporter = new InMemoryLogRecordExporter();
  const provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] });
  for (const _ of fields) provider.getLogger('t').emit({ body: 'fine' });
  return exporter
    .getFinishedLogRecords()
    .map((record, index) => Object.create(record, Object.getOwnPropertyDescriptors(fields[index] ?? {})));
}

describe('a value that cannot be read', () => {
  test.each(unreadableValues())('is encoded all the same, with and without redaction: %s', (_name, value) => {
    for (const encode of [jsonValue, redactedValue]) {
      const [inside, alone] = [encode({ deep: [value, 'kept'] }), encode(value)];
      expect(JSON.stringify(inside)).toContain('{"stringValue":"kept"}');
      expect(JSON.stringify(alone)).toMatch(/^\{.*\}$/);
    }
  });

  test('is named where it is a circle, throws, or is nested without end', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    let deep: Record<string, unknown> = {};
    for (let level = 0; level < 10_000; level += 1) deep = { deep };
    const shared = { a: 1 };
    for (const encode of [jsonValue, redactedValue]) {
      expect(JSON.stringify(encode(circle as AnyValue))).toContain('[circular]');
      expect(JSON.stringify(encode(deep as AnyValue))).toContain('[too deep]');
      expect(
        encode(
          Object.defineProperty({}, 'a', {
            enumerable: true,
            get: () => {
              throw new Error('x');
            },
          }) as AnyValue,
        ),
      ).toEqual({ stringValue: '[unreadable]' });
      expect(JSON.stringify(encode([shared, shared] as AnyValue))).not.toContain('[circular]');
    }
  });
});

describe('a batch with records that cannot be written', () => {
  const bodies: string[] = [];
  const warnings: string[] = [];
  const counts = new TelemetryCounts();

  afterEach(() => {
    bodies.length = 0;
    warnings.length = 0;
  });

  const send = (batch: readonly ReadableLogRecord[]): void => {
    const exporter = new JournalExporter<readonly ReadableLogRecord[]>({
      signal: 'logs',
      encode: encodeLogs,
      size: (items) => items.length,
      writable: writableItems,
      counts,
      warn: (_, message) => warnings.push(message),
      console: (line) => bodies.push(line),
    });
    exporter.export(batch, () => {});
  };

  test('is written without them, and they are counted', () => {
    send(
      records([
        {},
        { severityText: 10n },
        {},
        {
          eventName: Object.defineProperty({}, 'toJSON', {
            get() {
              throw new Error('x');
            },
          }),
        },
      ]),
    );
    expect(bodies.join('').match(/"fine"/g)).toHaveLength(2);
    expect(counts.snapshot().logs.dropped.encoding).toBe(2);
    expect(warnings).toEqual([
      '2 of 4 logs in a batch cannot be written as OTLP (TypeError). They are lost and counted; the others go on.',
    ]);
  });

  test('is lost and counted as a whole where nothing of it can be written', () => {
    const before = counts.snapshot().logs.dropped.encoding;
    send(records([{ severityText: 10n }]));
    expect(bodies).toEqual([]);
    expect(counts.snapshot().logs.dropped.encoding - before).toBe(1);
  });
});
