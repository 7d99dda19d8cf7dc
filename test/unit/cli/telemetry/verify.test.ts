import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { EXIT, Interruption } from '../../../../src/cli/frame/exit-codes.ts';
import { runInMemory } from '../cli-harness.ts';
import { JournalFolder, temporaryFolder } from './journal-folder.ts';
import { logLine, metricLine, span, traceLine } from './otlp-lines.ts';

const NOW = Date.UTC(2026, 10, 22, 12);

interface Report {
  readonly files: number;
  readonly lines: number;
  readonly items: Readonly<Record<string, number>>;
  readonly problemCount: number;
  readonly problems: readonly { readonly file: string; readonly line: number; readonly problem: string }[];
  readonly unfinished: readonly { readonly file: string; readonly bytes: number }[];
  readonly foreign: readonly string[];
}

async function verified(
  ...paths: readonly string[]
): Promise<{ readonly code: number; readonly report: Report }> {
  const { code, stdout } = await runInMemory(['telemetry', 'verify', ...paths, '--json']);
  return { code, report: JSON.parse(stdout) as Report };
}

/** The problems of a file with these lines. */
async function problemsOf(...lines: readonly (string | object)[]): Promise<readonly string[]> {
  const file = join(temporaryFolder(), 'lines.jsonl');
  writeFileSync(
    file,
    lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''),
  );
  const { report } = await verified(file);
  return report.problems.map(({ line, problem }) => `${line}: ${problem}`);
}

const point = (more: object): object => ({ timeUnixNano: '1', attributes: [], ...more });
const metrics = (...list: readonly object[]): object => ({
  resourceMetrics: [{ scopeMetrics: [{ metrics: list }] }],
});

describe('keelson telemetry verify', () => {
  test('finds nothing wrong with what Keelson writes, and counts it', async () => {
    const journal = new JournalFolder();
    journal.segment('traces', [traceLine([span(1, NOW), span(2, NOW)]), traceLine([span(3, NOW)])]);
    journal.segment('metrics', [metricLine([1, 2, 3], NOW)], { archive: true });
    journal.segment('logs', [logLine(['a\u2028b', 'c'], NOW)]);
    expect(await verified(journal.home)).toMatchObject({
      code: EXIT.ok,
      report: { files: 3, lines: 4, items: { traces: 3, metrics: 3, logs: 2 }, problemCount: 0, foreign: [] },
    });
    const { stdout } = await runInMemory(['telemetry', 'verify', journal.home]);
    expect(stdout).toMatch(
      /^3 files, .*, 4 lines, items: 3 of traces, 3 of metrics, 2 of logs; 0 problems\n$/,
    );
  });

  test('takes the home where nothing is named', async () => {
    const journal = new JournalFolder();
    journal.segment('traces', [traceLine([span(1, NOW)])]);
    const named = await runInMemory(['telemetry', 'verify'], { env: { KEELSON_HOME: journal.home } });
    expect(named).toMatchObject({ code: EXIT.ok, stderr: '' });
    expect(named.stdout).toContain('1 of traces');
    const cwd = join(journal.home, '..');
    expect((await runInMemory(['telemetry', 'verify'], { cwd })).stdout).toBe(named.stdout);
    const nowhere = await runInMemory(['telemetry', 'verify'], { cwd: temporaryFolder() });
    expect(nowhere.code).toBe(EXIT.ok);
    expect(nowhere.stderr).toContain('.keelson does not exist');
  });

  test('says file and line of what is damaged, and goes on', async () => {
    const good = traceLine([span(1, NOW)]);
    const file = join(temporaryFolder(), 'lines.jsonl');
    const bytes = Buffer.concat([
      Buffer.from(`${good}\n{"resourceSpans":[{"scop\n\n[]\n{"spans":[]}\n`),
      Buffer.from([0x7b, 0xff, 0x7d, 0x0a]),
      Buffer.from(`${logLine(['a'], NOW)}\n${good}\n`),
    ]);
    writeFileSync(file, bytes);
    const { code, stdout } = await runInMemory(['telemetry', 'verify', file]);
    expect(code).toBe(EXIT.unwell);
    expect(stdout.trimEnd().split('\n').slice(0, -1)).toEqual([
      `${file}:2: it is not JSON`,
      `${file}:3: it is empty`,
      `${file}:4: it is not a JSON object`,
      `${file}:5: it is no OTLP request: expected one of resourceSpans, resourceMetrics, resourceLogs as its first key`,
      `${file}:6: it is not UTF-8`,
      `${file}:7: it holds logs in a file of traces`,
    ]);
    expect(stdout).toContain('items: 2 of traces, 1 of logs; 6 problems');
  });

  test.each([
    [{ traceId: 'AAAA' }, 'span 1: expected `traceId` to be 32 hex digits and not all zero'],
    [{ traceId: '0'.repeat(32) }, 'span 1: expected `traceId` to be 32 hex digits and not all zero'],
    [{ spanId: 'EEEE+///' }, 'span 1: expected `spanId` to be 16 hex digits and not all zero'],
    [{ parentSpanId: 'x' }, 'span 1: expected `parentSpanId` to be 16 hex digits and not all zero'],
    [{ startTimeUnixNano: 'yesterday' }, 'span 1: expected `startTimeUnixNano` to be nanoseconds since 1970'],
    [
      { endTimeUnixNano: '18446744073709551616' },
      'span 1: expected `endTimeUnixNano` to be nanoseconds since 1970',
    ],
    [{ name: 7 }, 'span 1: expected a `name`'],
  ])('a span with %j is a problem', async (more, problem) => {
    expect(await problemsOf(traceLine([span(1, NOW, more)]))).toEqual([`1: ${problem}`]);
  });

  test('metrics without one kind of data, temporality, or buckets that fit their bounds are problems', async () => {
    const sum = { aggregationTemporality: 2, dataPoints: [point({ asInt: 1 })] };
    expect(await problemsOf(metrics({ name: 'a', sum }))).toEqual([]);
    expect(await problemsOf(metrics({ name: 'a', sum, gauge: { dataPoints: [] } }))).toEqual([
      '1: point 1: expected its metric to have one kind of data, got 2',
    ]);
    expect(await problemsOf(metrics({ name: '', sum: { dataPoints: [point({})] } }))).toEqual([
      '1: point 1: expected a `name` of its metric',
      '1: point 1: expected its metric to be delta or cumulative',
    ]);
    const buckets = point({ bucketCounts: ['1', '2'], explicitBounds: [1, 2] });
    expect(
      await problemsOf(
        metrics({ name: 'a', histogram: { aggregationTemporality: 2, dataPoints: [buckets] } }),
      ),
    ).toEqual(['1: point 1: expected one bucket more than bounds, got 2 and 2']);
  });

  test('records without a time, or with ids that are none, are problems', async () => {
    const logs = (record: object): object => ({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] });
    expect(await problemsOf(logs({ timeUnixNano: '1', traceId: '' }))).toEqual([]);
    expect(await problemsOf(logs({}))).toEqual([
      '1: record 1: expected `timeUnixNano` or `observedTimeUnixNano`',
    ]);
    expect(await problemsOf(logs({ timeUnixNano: 1, traceId: 'x', spanId: 'y' }))).toHaveLength(2);
    expect(await problemsOf({ ...logs({ timeUnixNano: 1 }), more: 1 })).toEqual([
      '1: it has more keys than the one of its signal',
    ]);
  });

  test('the unfinished line of a living process is said and is no problem; anywhere else it is one', async () => {
    const journal = new JournalFolder();
    const { path } = journal.segment('traces', [traceLine([span(1, NOW)])], { tail: '{"resourceSp' });
    journal.lock('4711-9f3c', 'alive', NOW);
    const live = await verified(journal.home);
    expect(live).toMatchObject({ code: EXIT.ok, report: { unfinished: [{ file: path, bytes: 12 }] } });

    journal.lock('4711-9f3c', 'gone', NOW);
    const dead = await verified(journal.home);
    expect(dead.code).toBe(EXIT.unwell);
    expect(dead.report.problems.map(({ line, problem }) => `${line}: ${problem}`)).toEqual([
      '2: it has no line break: it was not written to its end',
      '2: it is not JSON',
    ]);
  });

  test('an archive that is cut off or damaged is a problem, and the next file is read', async () => {
    const folder = temporaryFolder();
    const archive = gzipSync(
      Array.from({ length: 2_000 }, (_, id) => `${traceLine([span(id + 1, NOW)])}\n`).join(''),
    );
    writeFileSync(join(folder, 'a.jsonl.gz'), archive.subarray(0, archive.byteLength / 2));
    writeFileSync(join(folder, 'b.jsonl'), `${logLine(['a'], NOW)}\n`);
    const { code, report } = await verified(folder);
    expect(code).toBe(EXIT.unwell);
    expect(report.problems).toEqual([
      {
        file: join(folder, 'a.jsonl.gz'),
        line: report.lines,
        problem: 'the compressed data is damaged or cut off',
      },
    ]);
    expect(report.items['traces']).toBeGreaterThan(100);
    expect(report.items['logs']).toBe(1);
  });

  test('lists files in a journal that are not its own; a folder that is none is read whole', async () => {
    const journal = new JournalFolder();
    journal.segment('traces', [traceLine([span(1, NOW)])]);
    journal.lock('4711-9f3c', 'gone', NOW);
    const notes = join(journal.telemetry, 'traces/notes.jsonl');
    writeFileSync(notes, 'not a batch\n');
    expect(await verified(journal.home)).toMatchObject({
      code: EXIT.ok,
      report: { foreign: [notes], files: 1 },
    });
    expect((await verified(join(journal.telemetry, 'traces'))).report.files).toBe(2);
  });

  test('counts a file that is named twice once', async () => {
    const journal = new JournalFolder();
    const { path } = journal.segment('traces', [traceLine([span(1, NOW)])]);
    appendFileSync(path, '');
    expect((await verified(path, journal.home, path)).report.files).toBe(1);
  });

  test('says what it cannot find, and ends with 1', async () => {
    const { code, stdout, stderr } = await runInMemory(['telemetry', 'verify', 'nowhere.jsonl']);
    expect({ code, stdout }).toEqual({ code: EXIT.unwell, stdout: '' });
    expect(stderr).toContain('Cannot read nowhere.jsonl: ENOENT.');
  });

  test('an interrupted run says that not all was read', async () => {
    const journal = new JournalFolder();
    journal.segment('traces', [traceLine([span(1, NOW)])]);
    const interrupt = new AbortController();
    interrupt.abort(new Interruption('SIGINT'));
    const { code, stdout } = await runInMemory(['telemetry', 'verify', journal.home], {
      signal: interrupt.signal,
    });
    expect(code).toBe(EXIT.interrupted);
    expect(stdout).toContain('Not all of it was read.');
  });
});
