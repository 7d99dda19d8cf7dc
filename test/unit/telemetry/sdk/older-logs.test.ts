import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startTelemetry } from '../../../../src/telemetry/index.ts';
import { OtlpReceiver } from '../../../support/otlp-receiver.ts';

const KEY = Symbol.for('io.opentelemetry.js.api.logs');

interface OlderProvider {
  getLogger(name: string): { emit(record: object): void };
}

/** As `@opentelemetry/api-logs` 0.2xx looks up its provider. */
function olderProvider(version = 1): OlderProvider | undefined {
  const getter: unknown = Reflect.get(globalThis, KEY);
  return typeof getter === 'function' ? (getter(version) as OlderProvider | undefined) : undefined;
}

test('records of instrumentations that speak to the older logs API arrive, and nothing stays registered', async () => {
  const home = mkdtempSync(join(tmpdir(), 'keelson-older-logs-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const receiver = await OtlpReceiver.start();
  onTestFinished(() => receiver.close());
  const telemetry = startTelemetry({
    home,
    prometheus: false,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
  });
  olderProvider()?.getLogger('pino').emit({ timestamp: Date.now(), severityNumber: 9, body: 'hello' });
  expect(olderProvider(2)).toBeUndefined();
  await telemetry.shutdown();
  expect(receiver.logs.map(({ body }) => body)).toContainEqual({ stringValue: 'hello' });
  expect(Reflect.has(globalThis, KEY)).toBe(false);
});

test('another SDK that is registered there stays in force', async () => {
  const home = mkdtempSync(join(tmpdir(), 'keelson-older-logs-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const other = (): undefined => undefined;
  Reflect.set(globalThis, KEY, other);
  onTestFinished(() => void Reflect.deleteProperty(globalThis, KEY));
  const telemetry = startTelemetry({ home, prometheus: false, otlp: false, env: {} });
  expect(Reflect.get(globalThis, KEY)).toBe(other);
  await telemetry.shutdown();
  expect(Reflect.get(globalThis, KEY)).toBe(other);
});
