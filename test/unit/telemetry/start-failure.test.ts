import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trace } from '@opentelemetry/api';
import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import { expect, onTestFinished, test } from 'vitest';
import { startTelemetry } from '../../../src/telemetry/index.ts';
import type { Telemetry, TelemetryOptions } from '../../../src/telemetry/index.ts';
import { freePort } from '../../support/free-port.ts';

test('a start that throws takes everything back, so that the next one begins afresh', async () => {
  const home = mkdtempSync(join(tmpdir(), 'keelson-start-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const port = await freePort();
  const warnings: string[] = [];
  const start = (options: TelemetryOptions): Telemetry =>
    startTelemetry({
      home,
      prometheus: { port },
      otlp: false,
      writeWarning: (line) => warnings.push(line),
      env: {},
      ...options,
    });
  const olderReader = {
    setMetricProducer() {
      throw new Error('a reader of another version');
    },
  };
  expect(() => start({ metricReaders: [olderReader as unknown as IMetricReader] })).toThrow(
    'a reader of another version',
  );
  expect(trace.getTracer('t').startSpan('nobody').isRecording()).toBe(false);
  await using running = start({});
  await running.ready;
  expect(running.prometheus?.url).toBe(`http://127.0.0.1:${port}/metrics`);
  expect(running.mode).toBe('running');
  expect(warnings).toEqual([]);
});
