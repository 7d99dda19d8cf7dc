import { ExportResultCode } from '@opentelemetry/core';
import { describe, expect, test } from 'vitest';
import { TelemetryCounts } from '../../../../src/telemetry/counts.ts';
import { JournalExporter } from '../../../../src/telemetry/sdk/journal-exporter.ts';

interface World {
  readonly exporter: JournalExporter<readonly string[]>;
  readonly lines: string[];
  readonly warnings: string[];
  readonly counts: TelemetryCounts;
  /** Exports a batch. @returns the codes with which it was acknowledged by the time that the export returned */
  readonly send: (...batch: readonly string[]) => readonly ExportResultCode[];
}

/** An exporter to standard output that cannot encode an item called `broken`. */
function world(): World {
  const lines: string[] = [];
  const warnings: string[] = [];
  const counts = new TelemetryCounts();
  const exporter = new JournalExporter<readonly string[]>({
    signal: 'traces',
    size: (batch) => batch.length,
    encode: (batch) => {
      if (batch.includes('broken')) throw new RangeError('secret-value');
      return Buffer.from(JSON.stringify(batch));
    },
    writable: (batch) => batch.filter((item) => item !== 'broken'),
    console: (line) => lines.push(line),
    counts,
    warn: (_, message) => warnings.push(message),
  });
  const send = (...batch: readonly string[]): readonly ExportResultCode[] => {
    const codes: ExportResultCode[] = [];
    exporter.export(batch, ({ code }) => codes.push(code));
    return codes;
  };
  return { exporter, lines, warnings, counts, send };
}

describe('the exporter of a signal', () => {
  test('has written and acknowledged a batch, once, when the export returns', () => {
    const { send, lines } = world();
    expect(send('a', 'b')).toEqual([ExportResultCode.SUCCESS]);
    expect(lines).toEqual(['["a","b"]\n']);
  });

  test('writes nothing for a batch without items, and acknowledges it', () => {
    const { send, lines } = world();
    expect(send()).toEqual([ExportResultCode.SUCCESS]);
    expect(lines).toEqual([]);
  });

  test('counts what cannot be encoded, warns without what the encoder threw, and writes the rest', () => {
    const { send, lines, warnings, counts } = world();
    expect(send('a', 'broken')).toEqual([ExportResultCode.SUCCESS]);
    expect(counts.snapshot().traces.dropped.encoding).toBe(1);
    expect(warnings).toEqual([
      '1 of 2 traces in a batch cannot be written as OTLP (RangeError). They are lost and counted; the others go on.',
    ]);
    send('b');
    expect(lines).toEqual(['["a"]\n', '["b"]\n']);
  });

  test('loses no batch that comes after its shutdown', async () => {
    const { exporter, send, lines } = world();
    await exporter.forceFlush();
    await exporter.shutdown();
    expect(send('late')).toEqual([ExportResultCode.SUCCESS]);
    expect(lines).toEqual(['["late"]\n']);
  });
});
