import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, onTestFinished } from 'vitest';
import { Home, systemFiles } from '../../src/storage/index.ts';
import type { FilePort } from '../../src/storage/index.ts';
import { TelemetryCounts } from '../../src/telemetry/counts.ts';
import { readEnvironment } from '../../src/telemetry/environment/environment.ts';
import { checkOptions } from '../../src/telemetry/options.ts';
import { writableItems } from '../../src/telemetry/otlp/encode/spans-and-logs.ts';
import { Pipelines } from '../../src/telemetry/pipelines.ts';
import { JournalExporter } from '../../src/telemetry/sdk/journal-exporter.ts';
import { FakeClock } from '../../src/testing/fake-clock.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { FaultyFiles } from '../unit/storage/faulty-files.ts';

/** A disk that a test fills and frees. */
interface Disk {
  readonly path: string;
  readonly files: FilePort;
  fill(): void;
  free(): void;
  remove(): void;
}

const MOUNT_BYTES = 512 * 1_024;

/** A real file system with a limit, where this machine allows the mount. */
function mounted(): Disk | undefined {
  const path = mkdtempSync(join(tmpdir(), 'keelson-mount-'));
  if (
    spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${MOUNT_BYTES},mode=0700`, 'tmpfs', path]).status !== 0
  ) {
    rmSync(path, { recursive: true });
    return undefined;
  }
  const ballast = join(path, 'ballast');
  return {
    path,
    files: systemFiles,
    fill() {
      const { bavail, bsize } = statfsSync(path);
      writeFileSync(ballast, Buffer.alloc(bavail * bsize));
    },
    free: () => rmSync(ballast),
    remove() {
      spawnSync('umount', ['-l', path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** The machine's file system with faults put in. */
function injected(code: string): Disk {
  const files = new FaultyFiles();
  const path = mkdtempSync(join(tmpdir(), 'keelson-disk-'));
  return {
    path,
    files,
    fill() {
      files.appendAtMost = 0;
      files.failAppend = code;
    },
    free() {
      files.appendAtMost = Number.POSITIVE_INFINITY;
      files.failAppend = undefined;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

const probe = mounted();
probe?.remove();
const DISKS: readonly (readonly [string, () => Disk])[] = [
  ...['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES'].map(
    (code) => [`${code}, injected`, () => injected(code)] as const,
  ),
  // Where the mount is not permitted, the injected ENOSPC stands for it.
  ...(probe ? [['a tmpfs of 512 KiB that is full', () => mounted() ?? injected('ENOSPC')] as const] : []),
];

describe.each(DISKS)('a disk that refuses (%s)', (_, make) => {
  let disk = injected('ENOSPC');
  let receiver = new OtlpReceiver();
  let clock = new FakeClock();
  let counts = new TelemetryCounts();
  let warnings: string[] = [];
  let pipelines: Pipelines | undefined;

  beforeEach(async () => {
    disk.remove();
    disk = make();
    receiver = await OtlpReceiver.start();
    receiver.mode = { status: 503 };
    clock = new FakeClock();
    counts = new TelemetryCounts();
    warnings = [];
  });

  afterEach(async () => {
    pipelines?.close();
    await receiver.close();
    disk.remove();
  });

  /** A pipeline for traces whose batches are their own names. */
  function start(): (name: string, bytes?: number) => void {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
    const kinds = new Set<string>();
    const warn = (kind: string, message: string): void => {
      if (!kinds.has(kind)) warnings.push(message);
      kinds.add(kind);
    };
    pipelines = new Pipelines({
      options: {},
      checked: checkOptions({}),
      settings: readEnvironment(env, warn),
      home: new Home({ path: join(disk.path, 'k'), files: disk.files, env }),
      files: disk.files,
      clock,
      counts,
      warn,
    });
    const encode = (spans: readonly object[]): Uint8Array =>
      Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));
    const parts = pipelines.exporter('traces', encode, (spans) => spans.length, writableItems);
    if (!parts) throw new Error('Traces go nowhere.');
    const exporter = new JournalExporter(parts);
    return (name, bytes = 0) =>
      exporter.export([{ name, startTimeUnixNano: '1', text: 'x'.repeat(bytes) }], () => {});
  }

  const received = (): string[] => receiver.spans.map(({ name }) => name);

  test('is said once, and what came meanwhile is sent out of memory', async () => {
    const take = start();
    take('before');
    disk.fill();
    for (let i = 0; i < 5; i += 1) take(`during ${i}`, 60_000);
    expect(counts.snapshot().traces).toMatchObject({ backlog: { items: 6 }, dropped: { disk: 0 } });
    expect(warnings.filter((line) => line.includes('Nothing can be written'))).toHaveLength(1);
    receiver.mode = 'take';
    await pipelines?.flush(10_000);
    expect(received().sort()).toEqual(['before', ...Array.from({ length: 5 }, (_, i) => `during ${i}`)]);
    expect(counts.snapshot().traces).toMatchObject({ exported: 6, backlog: { items: 0 } });
  });

  test('takes what memory alone had as soon as it takes anything again', async () => {
    const take = start();
    take('before');
    disk.fill();
    take('during', 60_000);
    await receiver.until(() => receiver.attempts > 0, 'the first try');
    expect(counts.snapshot().traces.written).toBe(1);
    disk.free();
    await clock.advance(1_000);
    take('after');
    expect(counts.snapshot().traces).toMatchObject({ written: 3, backlog: { items: 3 } });
    pipelines?.close();
    expect(counts.snapshot().traces.dropped).toMatchObject({ shutdown: 0, disk: 0 });
  });

  test('fills no memory beyond its bound: the oldest goes first and is counted', () => {
    const take = start();
    take('before');
    disk.fill();
    for (let i = 0; i < 200; i += 1) take(`during ${i}`, 100_000);
    const { backlog, dropped } = counts.snapshot().traces;
    expect(backlog.bytes).toBeLessThan(8.5 * 1_024 * 1_024);
    expect(dropped.disk).toBeGreaterThan(100);
    expect(dropped.disk + backlog.items).toBe(201);
  });
});

describe('a home without permission', () => {
  test.each([
    ['above it', ''],
    ['in it', 'k'],
    ['in its telemetry', 'k/telemetry'],
  ])('%s: one warning, with what to do', async (_, forbidden) => {
    const path = mkdtempSync(join(tmpdir(), 'keelson-forbidden-'));
    onTestFinished(() => rmSync(path, { recursive: true, force: true }));
    mkdirSync(join(path, 'k/telemetry/traces'), { recursive: true, mode: 0o700 });
    const files = new FaultyFiles();
    files.forbidden.add(join(path, forbidden).replace(/\/$/, ''));
    const clock = new FakeClock();
    const warnings = new Map<string, string>();
    const pipelines = new Pipelines({
      options: { otlp: false },
      checked: checkOptions({}),
      settings: readEnvironment({}, () => {}),
      home: new Home({ path: join(path, 'k'), files }),
      files,
      clock,
      counts: new TelemetryCounts(),
      warn: (kind, message) => warnings.set(kind, message),
    });
    const parts = pipelines.exporter<number>(
      'traces',
      () => Buffer.from('{}'),
      () => 1,
      (batch) => batch,
    );
    if (!parts) throw new Error('Traces go nowhere.');
    new JournalExporter(parts).export(1, () => {});
    await pipelines.flush(1_000);
    pipelines.close();
    expect([...warnings.values()]).toEqual([
      expect.stringMatching(/Cannot use .*: EACCES\. Make .* writable/),
    ]);
  });
});
