import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { metrics, trace } from '@opentelemetry/api';
import { expect, onTestFinished, test } from 'vitest';
import { journalSources } from '../../src/cli/telemetry/sources.ts';
import { startTelemetry } from '../../src/telemetry/index.ts';
import { SIGNALS } from '../../src/telemetry/semconv.ts';
import { eventually } from '../support/otlp-receiver.ts';
import { CliProcess, runCliProcess } from './cli-process.ts';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-replay-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A receiver that keeps what arrives, or only counts it. */
class Receiver {
  readonly bodies: string[] = [];
  requests = 0;
  bytes = 0;
  readonly #server: Server;

  private constructor(keep: boolean, delayed: boolean) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => {
        this.bytes += chunk.byteLength;
        if (keep) chunks.push(chunk);
      });
      request.on('end', () => {
        this.requests += 1;
        if (keep) this.bodies.push(Buffer.concat(chunks).toString('utf8'));
        if (!delayed) response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
  }

  /** @param options `keep`: the bodies; `silent`: never answers */
  static async start({ keep = true, silent = false } = {}): Promise<Receiver> {
    const receiver = new Receiver(keep, silent);
    await new Promise<void>((resolve) => {
      receiver.#server.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(
      () =>
        new Promise<void>((resolve) => {
          receiver.#server.close(() => resolve());
          receiver.#server.closeAllConnections();
        }),
    );
    return receiver;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }
}

const LINE = JSON.stringify({
  resourceSpans: [
    {
      scopeSpans: [
        {
          spans: Array.from({ length: 512 }, (_, id) => ({
            traceId: 'a'.repeat(32),
            spanId: 'b'.repeat(16),
            name: `span ${id}`,
            startTimeUnixNano: '1',
            endTimeUnixNano: '2',
          })),
        },
      ],
    },
  ],
});

test('what a service wrote while its receiver was away arrives as it was written', async () => {
  const home = temporaryFolder();
  const telemetry = startTelemetry({
    home,
    serviceName: 'shop',
    otlp: { endpoint: 'http://127.0.0.1:9' },
    prometheus: false,
    hostInterval: false,
    env: {},
    logger: { console: false, files: false },
    writeWarning: () => {},
  });
  for (let id = 0; id < 20; id += 1) {
    trace
      .getTracer('shop')
      .startSpan(`order ${id}`, { attributes: { note: 'a\u2028b', big: 2 ** 60, odd: Number.NaN } })
      .end();
    telemetry.logger.info(`order ${id} placed`);
  }
  metrics.getMeter('shop').createCounter('shop.orders').add(20);
  await telemetry.forceFlush('1s');
  await telemetry.shutdown('1s');

  const status = await runCliProcess(['telemetry', 'status', '--home', home, '--json']);
  expect(JSON.parse(status.stdout)).toMatchObject({
    signals: { traces: { undelivered: { items: 20 } }, logs: { undelivered: { items: 20 } } },
  });
  const written = SIGNALS.flatMap((signal) =>
    journalSources(home, signal).flatMap(({ path }) => readFileSync(path, 'utf8').split('\n').slice(0, -1)),
  );
  expect(written.length).toBeGreaterThanOrEqual(3);
  const receiver = await Receiver.start();
  const replay = await runCliProcess(['telemetry', 'replay', home, '--to', receiver.url, '--json']);
  expect(replay).toMatchObject({ code: 0, stderr: '' });
  expect(receiver.bodies.toSorted()).toEqual(written.toSorted());
  expect(JSON.parse(replay.stdout)).toMatchObject({ signals: { traces: { sent: 20 }, logs: { sent: 20 } } });
  expect((await runCliProcess(['telemetry', 'verify', home])).code).toBe(0);
});

test('a replay that is interrupted while its receiver says nothing ends within a second, and says where it stopped', async () => {
  const file = join(temporaryFolder(), 'lines.jsonl');
  writeFileSync(file, `${LINE}\n`.repeat(3));
  const receiver = await Receiver.start({ silent: true });
  const replay = new CliProcess(['telemetry', 'replay', file, '--to', receiver.url, '--json']);
  await eventually(() => receiver.requests === 1, 'the first request');
  const asked = performance.now();
  replay.child.kill('SIGINT');
  const { code, stdout } = await replay.ended;
  expect(performance.now() - asked).toBeLessThan(1_000);
  expect(code).toBe(130);
  expect(JSON.parse(stdout)).toMatchObject({ stopped: { file, line: 1, reason: 'interrupted' } });
});

test('sends a quarter of a GiB in a heap of 48 MiB', async () => {
  const file = join(temporaryFolder(), 'big.jsonl.gz');
  const lines = Math.ceil(1_048_576 / LINE.length);
  const member = gzipSync(`${LINE}\n`.repeat(lines));
  writeFileSync(file, Buffer.concat(Array.from({ length: 256 }, () => member)));
  const receiver = await Receiver.start({ keep: false });
  const replay = new CliProcess(['telemetry', 'replay', file, '--to', receiver.url, '--json'], {}, [
    '--max-old-space-size=48',
  ]);
  const { code, stdout } = await replay.ended;
  expect({ code, report: JSON.parse(stdout) as unknown }).toMatchObject({
    code: 0,
    report: { lines: 256 * lines, signals: { traces: { sent: 256 * lines * 512 } } },
  });
  expect(receiver.bytes).toBe(256 * lines * LINE.length);
}, 120_000);
