import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { logs, metrics, trace } from '@opentelemetry/api';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { guard } from '../../src/index.ts';
import { startTelemetry } from '../../src/telemetry/index.ts';
import type { Telemetry, TelemetryOptions } from '../../src/telemetry/index.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';

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

  it('a receiver that refuses connections: one warning, fast shutdown, the loss counted', async () => {
    const running = start(NOWHERE);
    expect(await guardedCalls(20)).toHaveLength(20);
    running.logger.info('hello');
    const before = performance.now();
    await running.shutdown();
    expect(performance.now() - before).toBeLessThan(2_000);
    expect(warnings).toEqual([expect.stringContaining(`OTLP at ${NOWHERE} is away (ECONNREFUSED)`)]);
    expect(running.stats().traces).toMatchObject({ exported: 0, written: 20, dropped: { unreachable: 20 } });
    expect(running.stats().logs.dropped.unreachable).toBe(1);
    expect(running.stats().metrics.dropped.unreachable).toBeGreaterThan(0);
  });

  it('a receiver that hangs: one warning, shutdown within its deadline, the loss counted', async () => {
    await using receiver = await OtlpReceiver.start();
    receiver.mode = 'hang';
    const running = start(receiver.url, { otlp: { endpoint: receiver.url, timeout: '50ms' } });
    await guardedCalls(3);
    await running.forceFlush();
    expect(warnings).toEqual([expect.stringContaining('no answer within 50 ms')]);
    const before = performance.now();
    await running.shutdown('300ms');
    expect(performance.now() - before).toBeLessThan(1_500);
    expect(running.stats().traces.dropped.timeout).toBe(3);
  });

  it('a receiver that hangs for longer than the deadline: the deadline holds', async () => {
    await using receiver = await OtlpReceiver.start();
    receiver.mode = 'hang';
    const running = start(receiver.url);
    await guardedCalls(3);
    const before = performance.now();
    await running.forceFlush('100ms');
    await running.shutdown('100ms');
    expect(performance.now() - before).toBeLessThan(1_500);
    expect(running.stats().traces.dropped.shutdown).toBe(3);
  });

  it('a receiver that refuses for good: one warning with the status, the loss counted', async () => {
    await using receiver = await OtlpReceiver.start();
    receiver.mode = { status: 404 };
    const running = start(receiver.url);
    await guardedCalls(3);
    await running.forceFlush();
    await running.forceFlush();
    expect(warnings).toEqual([expect.stringContaining('HTTP 404')]);
    expect(running.stats().traces.dropped.rejected).toBe(3);
  });

  it('a receiver that is away and comes back: nothing is lost', async () => {
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
      dropped: { unavailable: 0, unreachable: 0, queue_full: 0 },
    });
  });

  it('more spans and log records at once than may wait: none is lost', async () => {
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
  ];
  it.each(homes)(
    'a home that is $name: one warning, the loss counted, the export goes on',
    async ({ prepare, says }) => {
      await using receiver = await OtlpReceiver.start();
      prepare(join(home, 'k'));
      const running = start(receiver.url);
      expect(await guardedCalls(3)).toHaveLength(3);
      expect(() => running.logger.info('hello')).not.toThrow();
      await running.forceFlush();
      expect(warnings).toEqual([expect.stringContaining(says)]);
      expect(running.stats().traces).toMatchObject({ exported: 3, written: 0, dropped: { disk: 3 } });
      expect(receiver.spans).toHaveLength(3);
    },
  );

  it('a Prometheus port that is taken: one warning that says which, the rest goes on', async () => {
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

  it('a processor that throws: one warning, calls and export go on', async () => {
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

  it('a metric callback that throws: the other metrics go on', async () => {
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

  it('a standard error that throws: start, calls and shutdown go on', async () => {
    const running = start(NOWHERE, {
      writeWarning: () => {
        throw new Error('EPIPE');
      },
    });
    expect(await guardedCalls(2)).toHaveLength(2);
    await expect(running.shutdown()).resolves.toBeUndefined();
  });
});
