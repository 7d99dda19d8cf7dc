import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { context, metrics, propagation, trace } from '@opentelemetry/api';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { guard } from '../../../src/index.ts';
import { TELEMETRY_METRICS } from '../../../src/signals/semconv.ts';
import { DROP_REASONS, startTelemetry } from '../../../src/telemetry/index.ts';
import type { Telemetry, TelemetryOptions } from '../../../src/telemetry/index.ts';
import { attributesOf, OtlpReceiver } from '../../support/otlp-receiver.ts';
import type { ReceivedMetric } from '../../support/otlp-receiver.ts';

function messageOf(body: () => unknown): string {
  try {
    body();
    return 'nothing was thrown';
  } catch (error) {
    return String(error);
  }
}

describe('startTelemetry', () => {
  let home = '';
  let receiver = new OtlpReceiver();
  let telemetry: Telemetry | undefined;
  let warnings: string[] = [];

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'keelson-start-'));
    receiver = await OtlpReceiver.start();
    warnings = [];
  });

  afterEach(async () => {
    await telemetry?.shutdown();
    telemetry = undefined;
    await receiver.close();
    rmSync(home, { recursive: true, force: true });
  });

  const start = (options: TelemetryOptions = {}, env: Record<string, string> = {}): Telemetry => {
    telemetry = startTelemetry({
      home,
      prometheus: { port: 0 },
      logger: { console: false },
      writeWarning: (line) => warnings.push(line),
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env },
      ...options,
    });
    return telemetry;
  };
  const lines = (...path: string[]): string[] =>
    readdirSync(join(home, ...path)).flatMap((name) =>
      readFileSync(join(home, ...path, name), 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
    );
  const metric = (name: string): ReceivedMetric | undefined =>
    receiver.metrics.findLast((each) => each.name === name);

  test('sends traces, metrics and logs, with one resource and without the command line', async () => {
    const running = start({
      serviceName: 'shop',
      serviceVersion: '1.2.3',
      resourceAttributes: { team: 'red' },
    });
    trace.getTracer('t').startActiveSpan('work', (span) => {
      running.logger.info('hello');
      span.end();
    });
    metrics.getMeter('m').createCounter('some.counter').add(3);
    await running.forceFlush();
    expect(receiver.spans.map(({ name }) => name)).toEqual(['work']);
    expect(receiver.logs.map(({ body }) => body.stringValue)).toEqual(['hello']);
    expect(receiver.logs[0]?.traceId).toBe(receiver.spans[0]?.traceId);
    expect(metric('some.counter')?.sum?.dataPoints[0]?.asDouble).toBe(3);
    const resource = attributesOf(
      receiver.of('traces')[0]?.body.resourceSpans?.[0]?.resource.attributes ?? [],
    );
    expect(resource).toMatchObject({
      'service.name': 'shop',
      'service.version': '1.2.3',
      team: 'red',
      'telemetry.sdk.name': 'opentelemetry',
      'process.pid': process.pid,
    });
    expect(resource).toHaveProperty('service.instance.id');
    expect(resource).not.toHaveProperty('process.command_args');
    expect(warnings).toEqual([]);
  });

  test('writes each batch as one line that is what was sent, one signal a file', async () => {
    const running = start();
    trace.getTracer('t').startSpan('work').end();
    running.logger.info('hello');
    await running.forceFlush();
    for (const signal of ['traces', 'metrics', 'logs'] as const) {
      const written = lines('telemetry', signal).map((line) => JSON.parse(line));
      expect(written).toEqual(receiver.of(signal).map(({ body }) => body));
      expect(written.length).toBeGreaterThan(0);
    }
    expect(running.stats().traces).toMatchObject({ exported: 1, written: 1 });
    expect(running.stats().logs).toMatchObject({ exported: 1, written: 1 });
  });

  test('sends to the endpoint of the options only the signals whose variable says so', async () => {
    const env = { OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'console' };
    const running = start({ otlp: { endpoint: receiver.url }, prometheus: false }, env);
    trace.getTracer('t').startSpan('work').end();
    running.logger.info('hello');
    await running.forceFlush();
    expect(receiver.of('traces')).toHaveLength(1);
    expect([...receiver.of('metrics'), ...receiver.of('logs')]).toEqual([]);
  });

  test('takes OTEL_* variables, options over them, and writes no files where that is asked', async () => {
    const running = start(
      { resourceAttributes: { a: 'option' } },
      {
        OTEL_SERVICE_NAME: 'from-env',
        OTEL_RESOURCE_ATTRIBUTES: 'a=env,b=env',
        OTEL_EXPORTER_OTLP_HEADERS: 'x-key=k',
        OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
        OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '1',
        KEELSON_TELEMETRY_FILES: 'false',
      },
    );
    trace
      .getTracer('t')
      .startSpan('work', { attributes: { one: 1, two: 2 } })
      .end();
    await running.forceFlush();
    const request = receiver.of('traces')[0];
    expect(request?.headers).toMatchObject({ 'x-key': 'k', 'content-encoding': 'gzip' });
    expect(attributesOf(request?.body.resourceSpans?.[0]?.resource.attributes ?? [])).toMatchObject({
      'service.name': 'from-env',
      a: 'option',
      b: 'env',
    });
    expect(receiver.spans[0]?.attributes).toHaveLength(1);
    expect(readdirSync(home)).toEqual([]);
  });

  test('samples as OTEL_TRACES_SAMPLER says', async () => {
    const running = start({}, { OTEL_TRACES_SAMPLER: 'always_off' });
    const span = trace.getTracer('t').startSpan('work');
    expect(span.isRecording()).toBe(false);
    span.end();
    await running.forceFlush();
    expect(receiver.spans).toEqual([]);
  });

  test('carries context over asynchronous calls and in W3C headers', async () => {
    start();
    await trace.getTracer('t').startActiveSpan('work', async (span) => {
      await Promise.resolve();
      expect(trace.getSpan(context.active())).toBe(span);
      const headers: Record<string, string> = {};
      propagation.inject(context.active(), headers);
      expect(headers['traceparent']).toContain(span.spanContext().traceId);
      span.end();
    });
  });

  test('is cumulative, and honours an explicit delta with a warning', async () => {
    const count = (): void => metrics.getMeter('m').createCounter('some.counter').add(1);
    const first = start();
    count();
    await first.shutdown();
    expect(metric('some.counter')?.sum?.aggregationTemporality).toBe(2);
    expect(warnings).toEqual([]);
    const second = start({}, { OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta' });
    count();
    await second.shutdown();
    expect(metric('some.counter')?.sum?.aggregationTemporality).toBe(1);
    expect(warnings).toEqual([expect.stringContaining('Prometheus drops delta')]);
  });

  test('serves metrics on loopback, at a port that it tells', async () => {
    const running = start();
    expect(running.prometheus).toBeUndefined();
    await running.ready;
    const url = running.prometheus?.url ?? '';
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
    const response = await fetch(url);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toContain('keelson_telemetry_dropped_total{');
    expect((await fetch(url.replace('metrics', 'other'))).status).toBe(404);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
    await running.shutdown();
    expect(running.prometheus).toBeUndefined();
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  test('has its own counters at 0 for every signal and reason from the start', async () => {
    const running = start();
    await running.forceFlush();
    const dropped = metric('keelson.telemetry.dropped')?.sum?.dataPoints ?? [];
    expect(dropped).toHaveLength(3 * DROP_REASONS.length);
    expect(dropped.map((point) => point.asDouble ?? point.asInt)).toEqual(dropped.map(() => 0));
    for (const { name } of TELEMETRY_METRICS.filter((each) => each.name !== 'keelson.telemetry.dropped')) {
      const { sum, gauge } = metric(name) ?? {};
      expect((sum ?? gauge)?.dataPoints.map(({ attributes }) => attributesOf(attributes))).toEqual([
        { 'keelson.signal': 'traces' },
        { 'keelson.signal': 'metrics' },
        { 'keelson.signal': 'logs' },
      ]);
    }
  });

  test('publishes host, process and event loop, with the units of the conventions', async () => {
    const running = start();
    await receiver.until(() => {
      void running.forceFlush();
      return metric('system.filesystem.utilization') !== undefined;
    }, 'the host gauges');
    const units = Object.fromEntries(receiver.metrics.map(({ name, unit }) => [name, unit]));
    expect(units).toMatchObject({
      'system.cpu.time': 's',
      'system.memory.usage': 'By',
      'system.memory.utilization': '1',
      'system.filesystem.usage': 'By',
      'system.filesystem.utilization': '1',
      'process.cpu.time': 's',
      'process.memory.usage': 'By',
      'process.uptime': 's',
      'nodejs.eventloop.utilization': '1',
    });
  });

  test('gives a guard its metrics that was made before the start', async () => {
    const early = guard('made-early', { retry: { retries: 0 } });
    const running = start();
    await running.forceFlush();
    const points = metric('keelson.calls')?.sum?.dataPoints ?? [];
    expect(points.map(({ attributes }) => attributesOf(attributes)['keelson.guard.name'])).toContain(
      'made-early',
    );
    expect(await early.run('op', () => 1)).toBe(1);
  });

  test('binds what guards publish at the start, and lets go of it at the end', async () => {
    let bound = 0;
    const instance = { bind: () => (bound += 1) };
    const instances: unknown = Reflect.get(globalThis, Symbol.for('keelson.signals.v1'));
    if (instances instanceof Set) instances.add(new WeakRef(instance));
    const running = start();
    expect(bound).toBe(1);
    await running.shutdown();
    expect(bound).toBe(2);
    expect(instance).toBeDefined();
  });

  test('returns the running telemetry when it is started again, and says so once', () => {
    const first = start();
    expect(startTelemetry({ writeWarning: (line) => warnings.push(line) })).toBe(first);
    expect(warnings).toEqual([expect.stringContaining('startTelemetry was called again')]);
  });

  test('can be started again after a shutdown', async () => {
    for (const name of ['first', 'second']) {
      const running = start({ serviceName: name });
      trace.getTracer('t').startSpan(name).end();
      running.logger.info(name);
      await running.shutdown();
    }
    expect(receiver.spans.map(({ name }) => name)).toEqual(['first', 'second']);
    expect(receiver.logs.map(({ body }) => body.stringValue)).toEqual(['first', 'second']);
    expect(warnings).toEqual([]);
  });

  test('leaves another SDK in force, says so once, and still logs', async () => {
    const other = new TracerProvider();
    trace.setGlobalTracerProvider(other);
    try {
      const running = start();
      expect(running.mode).toBe('foreign');
      expect(warnings).toEqual([expect.stringContaining('Another OpenTelemetry SDK')]);
      running.logger.info('still here');
      await running.shutdown();
      expect(lines('logs')[0]).toContain('still here');
      expect(trace.getTracer('t').startSpan('s').isRecording()).toBe(true);
    } finally {
      trace.disable();
    }
  });

  test('says once that an SDK which is started later has no effect', async () => {
    start();
    for (let i = 0; i < 2; i += 1) trace.setGlobalTracerProvider(new TracerProvider());
    expect(warnings).toEqual([expect.stringContaining('Another OpenTelemetry SDK was started')]);
    trace.getTracer('t').startSpan('mine').end();
    await telemetry?.forceFlush();
    expect(receiver.spans.map(({ name }) => name)).toEqual(['mine']);
  });

  test('starts nothing but the logger where OTEL_SDK_DISABLED says so', async () => {
    const running = start({}, { OTEL_SDK_DISABLED: 'true' });
    expect(running.mode).toBe('disabled');
    expect(trace.getTracer('t').startSpan('s').isRecording()).toBe(false);
    running.logger.info('hello');
    await running.shutdown();
    expect(receiver.attempts).toBe(0);
    expect(lines('logs')).toHaveLength(1);
  });

  test('refuses options that cannot be used, all at once, with the remedy and without secrets', () => {
    const bad = {
      serviceNam: 'x',
      otlp: { endpoint: 'user:hunter2@x', timeout: 'soon' },
      prometheus: { port: 70_000 },
      logger: { level: 'loud' },
      files: 'no',
    };
    const starting = (): Telemetry => startTelemetry(bad as object);
    expect(starting).toThrow(expect.objectContaining({ name: 'ConfigError', code: 'ERR_KEELSON_CONFIG' }));
    const message = messageOf(starting);
    for (const part of [
      'Did you mean `serviceName`',
      '`otlp.endpoint`',
      '`otlp.timeout`',
      '`prometheus.port`',
      '`logger.level`',
      '`files`',
    ]) {
      expect(message).toContain(part);
    }
    expect(message).not.toContain('hunter2');
    expect(trace.getTracer('t').startSpan('s').isRecording()).toBe(false);
  });

  test('shuts down once, however often it is asked, and with await using', async () => {
    const running = start();
    expect(running.shutdown()).toBe(running.shutdown());
    await running.shutdown();
    await running.forceFlush();
    await using again = start();
    expect(again.mode).toBe('running');
  });
});
