import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DROP_REASONS, startTelemetry } from '../../src/telemetry/index.ts';
import type { Telemetry, TelemetryStats } from '../../src/telemetry/index.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';

const LINES = 20_000;
const NOWHERE = 'http://127.0.0.1:9';
const MEMORY_BYTES = 8 * 1_024 * 1_024;

const lostOf = ({ logs }: TelemetryStats): number =>
  DROP_REASONS.reduce((sum, reason) => sum + logs.dropped[reason], 0);

describe('a burst of twenty thousand lines', () => {
  let folder = '';
  let telemetry: Telemetry | undefined;
  let warnings: string[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keelson-logs-'));
    warnings = [];
  });

  afterEach(async () => {
    await telemetry?.shutdown(200);
    telemetry = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (home: string, url: string): Telemetry => {
    telemetry = startTelemetry({
      home,
      prometheus: false,
      hostInterval: false,
      logger: { console: false },
      writeWarning: (line) => warnings.push(line),
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: url },
    });
    return telemetry;
  };
  /** @returns milliseconds of the longest call */
  const burst = ({ logger }: Telemetry): number => {
    let longest = 0;
    for (let i = 0; i < LINES; i += 1) {
      const before = performance.now();
      logger.info(`line ${i}`, { i, order: { id: i, text: 'x'.repeat(300) } });
      longest = Math.max(longest, performance.now() - before);
    }
    return longest;
  };

  test('with a dead disk and a dead Collector neither blocks nor throws; memory is bounded, and each line is counted', async () => {
    // A home that cannot be made: its parent is a file.
    writeFileSync(join(folder, 'file'), '');
    const running = start(join(folder, 'file', 'home'), NOWHERE);
    expect(burst(running)).toBeLessThan(1_000);
    await running.forceFlush(500);
    const stats = running.stats();
    expect(stats.logger).toEqual({ lost: LINES, failures: 0 });
    expect(stats.logs.exported).toBe(0);
    expect(stats.logs.backlog.bytes).toBeLessThanOrEqual(MEMORY_BYTES);
    expect(stats.logs.backlog.items + lostOf(stats)).toBe(LINES);
    await running.shutdown(200);
    expect(lostOf(running.stats())).toBe(LINES);
    expect(warnings.length).toBeLessThan(5);
    expect(warnings.join('')).toContain('Nothing can be written below KEELSON_HOME');
  });

  test('with both of them alive arrives whole, in the files and at the receiver', async () => {
    await using receiver = await OtlpReceiver.start();
    const running = start(join(folder, 'k'), receiver.url);
    burst(running);
    await running.forceFlush('10s');
    expect(receiver.logs).toHaveLength(LINES);
    expect(lostOf(running.stats())).toBe(0);
    const day = new Date().toISOString().slice(0, 10);
    const text = readFileSync(join(folder, 'k', 'logs', `${day}.jsonl`), 'utf8');
    expect(text.trimEnd().split('\n')).toHaveLength(LINES);
  });
});
