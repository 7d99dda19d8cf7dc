import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logs, metrics, trace } from '@opentelemetry/api';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { guard } from '../../src/index.ts';
import { DROP_REASONS, startTelemetry } from '../../src/telemetry/index.ts';
import type { Telemetry, TelemetryOptions } from '../../src/telemetry/index.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';

/** Nothing was lost for any reason. */
const NONE = Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0]));
const NOWHERE = 'http://127.0.0.1:9';

/** What the service does all the time, whatever is away. */
async function guardedCalls(count: number): Promise<readonly number[]> {
  const service = guard('faults', { retry: { retries: 1 } });
  return Promise.all(Array.from({ length: count }, (_, i) => service.run('op', () => i)));
}

describe('what is away never changes a call', () => {
  let home = '';
  let telemetry: Telemetry | undefined;
  let warnings: string[] = [];

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'keelson-faults-'));
    warnings = [];
  });

  afterEach(async () => {
    await telemetry?.shutdown(200);
    telemetry = undefined;
    rmSync(home, { recursive: true, force: true });
  });

  const start = (
    url: string,
    options: TelemetryOptions = {},
    env: Record<string, string> = {},
  ): Telemetry => {
    telemetry = startTelemetry({
      home: join(home, 'k'),
      prometheus: false,
      logger: { console: false },
      writeWarning: (line) => warnings.push(line),
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: url, ...env },
      ...options,
    });
    return telemetry;
  };

  test('a receiver that refuses connections: one warning, fast shutdown, and all of it waits on disk', async () => {
    const running = start(NOWHERE);
    expect(await guardedCalls(20)).toHaveLength(20);
    running.logger.info('hello');
    const before = performance.now();
    await running.shutdown();
    expect(performance.now() - before).toBeLessThan(2_000);
    expect(warnings).toEqual([expect.stringContaining(`OTLP at ${NOWHERE} is away (ECONNREFUSED)`)]);
    const { traces, metrics: points, logs } = running.stats();
    expect(traces).toMatchObject({ exported: 0, written: 20, backlog: { items: 20 }, dropped: NONE });
    expect(logs).toMatchObject({ backlog: { items: 1 }, dropped: NONE });
    expect(points.backlog.items).toBeGreaterThan(0);
  });

  test('a receiver that refuses connections, and no files: what was in memory is counted at the end', async () => {
    const running = start(NOWHERE, { files: false });
    await guardedCalls(20);
    await running.forceFlush();
    expect(running.stats().traces.backlog.items).toBe(20);
    await running.shutdown();
    expect(running.stats().traces).toMatchObject({
      backlog: { items: 0 },
      dropped: { ...NONE, shutdown: 20 },
    });
  });

  test('no receiver wanted and no disk: nothing is kept, and the loss is counted', async () => {
    symlinkSync(tmpdir(), join(home, 'k'));
    const running = start(NOWHERE, { otlp: false });
    await guardedCalls(20);
    await running.forceFlush();
    expect(running.stats().traces).toMatchObject({ backlog: { items: 0 }, dropped: { ...NONE, disk: 20 } });
  });

  test('a receiver that hangs: one warning, shutdown within its deadline, and all of it waits on disk', async () => {
    await using receiver = await OtlpReceiver.start();
    receiver.mode = 'hang';
    const running = start(receiver.url, { otlp: { endpoint: receiver.url, timeout: '50ms' } });
    await guardedCalls(3);
    await running.forceFlush();
    expect(warnings).toEqual([expect.stringContaining('no answer within 50 ms')]);
    const before = performance.now();
    await running.shutdown('300ms');
    expect(performance.now() - before).toBeLessThan(1_500);
    expect(running.stats().traces).toMatchObject({ backlog: { items: 3 }, dropped: NONE });
  });

  test('a receiver that hangs for longer than the deadline: the deadline holds', async () => {
    await using receiver = await OtlpReceiver.start();
    receiver.mode = 'hang';
    const running = start(receiver.url);
    await guardedCalls(3);
    const before = performance.now();
    await running.forceFlush('100ms');
    await running.shutdown('100ms');
    expect(performance.now() - before).toBeLessThan(1_500);
    expect(running.stats().traces).toMatchObject({ backlog: { items: 3 }, dropped: NONE });
  });

  test('what listens there is no receiver: one warning for each cause with what to do, and nothing is lost once it is mended', async () => {
    await using receiver = await OtlpReceiver.start();
    const running = start(receiver.url);
    for (const mode of [{ status: 404 }, { status: 404 }, { status: 200, body: '<html>login</html>' }]) {
      receiver.mode = mode;
      await guardedCalls(3);
      await running.forceFlush();
    }
    expect(warnings).toEqual([
      expect.stringMatching(/HTTP 404.*OTEL_EXPORTER_OTLP_ENDPOINT.*_EXPORTER=none/),
      expect.stringMatching(/HTTP 200 with a page.*"login".*OTEL_EXPORTER_OTLP_ENDPOINT.*_EXPORTER=none/),
    ]);
    receiver.requests.length = 0;
    receiver.mode = 'take';
    await running.forceFlush();
    expect(receiver.spans).toHaveLength(9);
    expect(running.stats().traces).toMatchObject({ exported: 9, backlog: { items: 0 }, dropped: NONE });
  });

  test('a receiver that refuses a batch for good: it is set aside with the answer, counted, and the next goes on', async () => {
    await using receiver = await OtlpReceiver.start();
    receiver.mode = { status: 400, body: 'bad span; token=hunter2' };
    const running = start(receiver.url);
    await guardedCalls(3);
    await running.forceFlush();
    receiver.mode = 'take';
    await guardedCalls(2);
    await running.forceFlush();
    expect(receiver.spans).toHaveLength(2);
    expect(running.stats().traces).toMatchObject({ exported: 2, dropped: { ...NONE, rejected: 3 } });
    const folder = join(home, 'k', 'telemetry', 'rejected', 'traces');
    const files = readdirSync(folder).sort();
    expect(files.map((name) => name.replace(/^.*\./, ''))).toEqual(['json', 'jsonl']);
    const [record, line] = files.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
    expect(record).toMatchObject({
      version: 1,
      reason: 'rejected',
      status: 400,
      target: receiver.url,
      items: 3,
    });
    expect(record.answer).toContain('bad span');
    expect(record.answer).not.toContain('hunter2');
    expect(line).toHaveProperty('resourceSpans');
  });

  test('a receiver that takes only small batches: they are split, and one item that is too large is set aside', async () => {
    await using receiver = await OtlpReceiver.start();
    receiver.maxBytes = 6_000;
    const running = start(receiver.url, {}, { OTEL_METRICS_EXPORTER: 'none' });
    for (let i = 0; i < 20; i += 1) trace.getTracer('t').startSpan(`s${i}`).end();
    trace
      .getTracer('t')
      .startSpan('huge', { attributes: { text: 'x'.repeat(10_000) } })
      .end();
    await running.forceFlush();
    expect(receiver.spans.map(({ name }) => name)).toEqual(Array.from({ length: 20 }, (_, i) => `s${i}`));
    expect(running.stats().traces).toMatchObject({ exported: 20, dropped: { ...NONE, too_large: 1 } });
  });

  test('a receiver that is away and comes back: nothing is lost', async () => {
    await using receiver = await OtlpReceiver.start();
    receiver.mode = { status: 503 };
    const running = start(receiver.url);
    await guardedCalls(3);
    await running.forceFlush();
    await receiver.close();
    await guardedCalls(3);
    await running.forceFlush();
    expect(running.stats().traces.exported).toBe(0);
    receiver.mode = 'take';
    await receiver.listen();
    await running.forceFlush();
    expect(receiver.spans).toHaveLength(6);
    expect(running.stats().traces).toMatchObject({
      exported: 6,
      dropped: NONE,
    });
  });

  test('more spans and log records at once than may wait: none is lost', async () => {
    await using receiver = await OtlpReceiver.start();
    const running = start(receiver.url);
    for (let i = 0; i < 5_000; i += 1) {
      trace.getTracer('t').startSpan('s').end();
      logs.getLogger('t').emit({ body: 'l' });
    }
    await running.forceFlush();
    expect(receiver.spans).toHaveLength(5_000);
    expect(receiver.logs).toHaveLength(5_000);
    expect(running.stats().traces.dropped.queue_full).toBe(0);
    expect(warnings).toEqual([]);
  });

  const homes: readonly { name: string; prepare: (path: string) => void; says: string }[] = [
    { name: 'a symbolic link', prepare: (path) => symlinkSync(tmpdir(), path), says: 'symbolic link' },
    {
      name: 'open to others',
      prepare: (path) => {
        mkdirSync(path);
        chmodSync(path, 0o777);
      },
      says: 'chmod 700',
    },
    { name: 'a file', prepare: (path) => writeFileSync(path, ''), says: 'it is not a folder. Move it away' },
    {
      name: 'a folder with a file where the telemetry belongs',
      prepare: (path) => {
        mkdirSync(path, { mode: 0o700 });
        writeFileSync(join(path, 'telemetry'), '');
      },
      says: 'A file lies where a folder has to be',
    },
  ];
  test.each(homes)(
    'a home that is $name: one warning, the export goes on out of memory',
    async ({ prepare, says }) => {
      await using receiver = await OtlpReceiver.start();
      prepare(join(home, 'k'));
      const running = start(receiver.url);
      expect(await guardedCalls(3)).toHaveLength(3);
      expect(() => running.logger.info('hello')).not.toThrow();
      await running.forceFlush();
      expect(warnings).toEqual([expect.stringContaining(says)]);
      expect(running.stats().traces).toMatchObject({ exported: 3, written: 0, dropped: NONE });
      expect(receiver.spans).toHaveLength(3);
    },
  );

  test('a Prometheus port that is taken: one warning that says which, the rest goes on', async () => {
    await using receiver = await OtlpReceiver.start();
    const holder = createServer();
    await new Promise<void>((resolve) => {
      holder.listen(0, '127.0.0.1', resolve);
    });
    const address = holder.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const running = start(receiver.url, { prometheus: { port } });
    await running.ready;
    expect(running.prometheus).toBeUndefined();
    expect(await guardedCalls(2)).toHaveLength(2);
    await running.forceFlush();
    expect(warnings).toEqual([expect.stringContaining(`127.0.0.1:${port} (EADDRINUSE)`)]);
    expect(receiver.spans).toHaveLength(2);
    holder.close();
  });

  test('a processor that throws: one warning, calls and export go on', async () => {
    await using receiver = await OtlpReceiver.start();
    const fail = (): never => {
      throw new Error('broken processor');
    };
    const spanProcessors: SpanProcessor[] = [
      { onStart: fail, onEnd: fail, forceFlush: fail, shutdown: () => Promise.reject(new Error('no')) },
    ];
    const running = start(receiver.url, { spanProcessors });
    expect(await guardedCalls(2)).toHaveLength(2);
    await running.forceFlush();
    expect(receiver.spans).toHaveLength(2);
    await expect(running.shutdown()).resolves.toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining('throws (Error)')]);
  });

  test('a metric callback that throws: the other metrics go on', async () => {
    await using receiver = await OtlpReceiver.start();
    const running = start(receiver.url);
    metrics
      .getMeter('m')
      .createObservableGauge('bad')
      .addCallback(() => {
        throw new Error('broken callback');
      });
    await running.forceFlush();
    expect(receiver.metrics.map(({ name }) => name)).toContain('keelson.telemetry.exported');
  });

  test('a standard error that throws: start, calls and shutdown go on', async () => {
    const running = start(NOWHERE, {
      writeWarning: () => {
        throw new Error('EPIPE');
      },
    });
    expect(await guardedCalls(2)).toHaveLength(2);
    await expect(running.shutdown()).resolves.toBeUndefined();
  });
});
