import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXIT } from '../../../../src/cli/frame/exit-codes.ts';
import { FakeClock } from '../../../../src/testing/index.ts';
import { runInMemory } from '../cli-harness.ts';
import { JournalFolder, temporaryFolder } from './journal-folder.ts';
import { logLine, metricLine, span, traceLine } from './otlp-lines.ts';

const NOW = Date.UTC(2026, 10, 22, 12);
const MINUTE = 60_000;

interface Status {
  readonly healthy: boolean;
  readonly exists: boolean;
  readonly attention: readonly { readonly what: string; readonly remedy: string }[];
  readonly signals: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly owners: readonly object[];
  readonly foreign: readonly string[];
  readonly unreadable: readonly string[];
}

async function statusOf(home: string): Promise<{ readonly code: number; readonly status: Status }> {
  const { code, stdout } = await runInMemory(['telemetry', 'status', '--home', home, '--json'], {
    clock: new FakeClock(NOW),
  });
  return { code, status: JSON.parse(stdout) as Status };
}

async function textOf(home: string): Promise<string> {
  return (await runInMemory(['telemetry', 'status', '--home', home], { clock: new FakeClock(NOW) })).stdout;
}

describe('keelson telemetry status', () => {
  test('says of a home that does not exist that nothing waits there', async () => {
    const home = join(temporaryFolder(), 'nowhere');
    expect(await statusOf(home)).toMatchObject({ code: EXIT.ok, status: { exists: false, healthy: true } });
    expect(await textOf(home)).toContain('does not exist');
  });

  test('says of a home that is a file what a home is', async () => {
    const home = join(temporaryFolder(), 'app.js');
    writeFileSync(home, '');
    const { code, stderr } = await runInMemory(['telemetry', 'status', '--home', home]);
    expect(code).toBe(EXIT.unwell);
    expect(stderr).toContain('Name the folder of state with --home');
    expect(stderr).not.toContain('as the user that owns');
  });

  test('takes the home from KEELSON_HOME, and below the working directory without it', async () => {
    const folder = temporaryFolder();
    const named = await runInMemory(['telemetry', 'status'], { env: { KEELSON_HOME: 'state' }, cwd: folder });
    expect(named.stdout).toContain(join(folder, 'state'));
    expect((await runInMemory(['telemetry', 'status'], { cwd: folder })).stdout).toContain(
      join(folder, '.keelson'),
    );
  });

  test('counts what no cursor covers, by signal', async () => {
    const journal = new JournalFolder();
    const lines = [1, 2, 3].map((id) =>
      traceLine([span(id, NOW - id * MINUTE), span(id + 10, NOW - id * MINUTE)]),
    );
    const { key } = journal.segment('traces', lines, { changedAt: NOW });
    journal.segment('logs', [logLine(['a', 'b', 'c'], NOW - 1_000)], { changedAt: NOW });
    journal.segment('metrics', [metricLine([1, 2], NOW)], { archive: true });
    journal.lock('4711-9f3c', 'alive', NOW);
    const first = Buffer.byteLength(`${lines[0]}\n`);
    journal.cursor('4711-9f3c', { [key]: [[0, first]] });

    const { code, status } = await statusOf(journal.home);
    expect(code).toBe(EXIT.ok);
    expect(status.signals['traces']?.['undelivered']).toEqual({
      files: 1,
      items: 4,
      bytes: Buffer.byteLength(
        lines
          .slice(1)
          .map((line) => `${line}\n`)
          .join(''),
      ),
      oldestAgeSeconds: 120,
    });
    expect(status.signals['logs']?.['undelivered']).toMatchObject({ items: 3, oldestAgeSeconds: 1 });
    expect(status.signals['metrics']).toMatchObject({
      segments: { files: 0 },
      undelivered: { items: 0 },
      archives: { files: 1 },
    });
    expect(status.owners).toMatchObject([{ owner: '4711-9f3c', alive: true, pid: process.pid }]);
    expect(await textOf(journal.home)).toMatch(/traces +4 items +\S+ \S+ +2m/);
  });

  test('what a living process has not yet sent needs no attention, however old', async () => {
    const journal = new JournalFolder();
    journal.segment('traces', [traceLine([span(1, NOW - 60 * MINUTE)])], { changedAt: NOW - 60 * MINUTE });
    journal.lock('4711-9f3c', 'alive', NOW);
    expect((await statusOf(journal.home)).code).toBe(EXIT.ok);
  });

  test('what a dead process left behind does, once it is older than a minute', async () => {
    const journal = new JournalFolder();
    journal.segment('traces', [traceLine([span(1, NOW)])], { changedAt: NOW - 30_000 });
    journal.lock('4711-9f3c', 'gone', NOW - 30_000);
    expect((await statusOf(journal.home)).code).toBe(EXIT.ok);

    journal.segment('traces', [traceLine([span(2, NOW - 2 * MINUTE)])], {
      owner: '12-abcd',
      changedAt: NOW - 2 * MINUTE,
    });
    const { code, status } = await statusOf(journal.home);
    expect(code).toBe(EXIT.unwell);
    expect(status.attention).toEqual([
      {
        what: '1 item of traces wait in 1 segment of processes that are gone, the oldest for 2m.',
        remedy: `The next process that starts with this home sends them to its own endpoint. To send them elsewhere: keelson telemetry replay ${journal.home} --to URL --undelivered.`,
      },
    ]);
    expect(await textOf(journal.home)).toContain('attention: 1 item of traces');
  });

  test('a batch that was set aside does, with the reason of the last one', async () => {
    const journal = new JournalFolder();
    const stem = join(journal.telemetry, 'rejected/logs/2026-11-22T000000000Z-4711-9f3c-0');
    journal.file(`${stem}.jsonl`, `${logLine(['a'], NOW)}\n`);
    const record = {
      version: 1,
      reason: 'rejected',
      status: 400,
      answer: 'bad \u001b[2Jbody',
      target: 'http://a',
      time: '2026-11-22T00:00:00Z',
      items: 7,
    };
    journal.file(`${stem}.json`, JSON.stringify(record));
    const { code, status } = await statusOf(journal.home);
    expect(code).toBe(EXIT.unwell);
    expect(status.signals['logs']?.['rejected']).toMatchObject({ files: 1, items: 7, last: record });
    expect(status.attention[0]?.what).toContain('1 batch of logs (7 items) set aside.');
    const text = await textOf(journal.home);
    expect(text).toContain('rejected 400 bad \\u{1b}[2Jbody');
    expect(text).not.toContain('\u001b');
  });

  test('a cursor that cannot be read does; foreign files are listed and need nothing', async () => {
    const journal = new JournalFolder();
    journal.file(join(journal.telemetry, 'owners/4711-9f3c.cursor.json'), '{"version":9}');
    journal.file(join(journal.telemetry, 'owners/1-aaaa.cursor.json.unreadable'), 'x');
    journal.file(join(journal.telemetry, 'owners/1-aaaa.cursor.json.17.tmp'), 'x');
    journal.file(join(journal.telemetry, 'traces/notes.txt'), 'x');
    journal.file(join(journal.telemetry, 'rejected/traces/todo.md'), 'x');
    const { code, status } = await statusOf(journal.home);
    expect(code).toBe(EXIT.unwell);
    expect(status.unreadable).toEqual([
      'owners/1-aaaa.cursor.json.unreadable',
      'owners/4711-9f3c.cursor.json',
    ]);
    expect(status.foreign).toEqual(['traces/notes.txt', 'rejected/traces/todo.md']);
    expect(await textOf(journal.home)).toContain('traces/notes.txt');
  });

  test('goes on past folders that have the names of files, and lists them', async () => {
    const journal = new JournalFolder();
    journal.segment('traces', [traceLine([span(1, NOW)])], { changedAt: NOW });
    const stem = '2026-11-22T000000000Z-4711-9f3c-9';
    const folders = [
      'owners/1-aaaa.cursor.json',
      'owners/1-aaaa.lock',
      `traces/${stem}.jsonl`,
      `rejected/traces/${stem}.json`,
      `rejected/traces/${stem}.jsonl`,
    ];
    for (const name of folders) mkdirSync(join(journal.telemetry, name), { recursive: true });
    const { code, status } = await statusOf(journal.home);
    expect(code).toBe(EXIT.ok);
    expect(status.foreign).toEqual(folders);
    expect(status.owners).toEqual([]);
    expect(status.signals['traces']).toMatchObject({ segments: { files: 1 }, undelivered: { items: 1 } });
  });

  test('counts items across the borders of the chunks in which it reads', async () => {
    const journal = new JournalFolder();
    const lines = Array.from({ length: 9_000 }, (_, id) =>
      traceLine([span(id, NOW, { name: 'x'.repeat(id % 97) })]),
    );
    journal.segment('traces', lines, { changedAt: NOW });
    const { status } = await statusOf(journal.home);
    expect(status.signals['traces']?.['undelivered']).toMatchObject({ items: 9_000 });
    expect(Number(status.signals['traces']?.['segments']?.['bytes'])).toBeGreaterThan(3 * 1_048_576);
  });

  test('says of a home that a service refuses why, and what waits in it all the same', async () => {
    const journal = new JournalFolder();
    journal.segment('traces', [traceLine([span(1, NOW)])], { changedAt: NOW });
    const link = join(temporaryFolder(), 'link');
    symlinkSync(journal.home, link);
    const lost = join(temporaryFolder(), 'lost');
    symlinkSync(join(temporaryFolder(), 'gone'), lost);
    chmodSync(journal.home, 0o777);
    for (const [home, what, remedy, items] of [
      [journal.home, 'others can write to it (mode 777)', 'Run: chmod 700', 1],
      [link, 'it is a symbolic link', 'Set KEELSON_HOME', 1],
      [lost, 'it is a symbolic link', 'Set KEELSON_HOME', 0],
    ] as const) {
      const { code, status } = await statusOf(home);
      expect({ code, healthy: status.healthy }).toEqual({ code: EXIT.unwell, healthy: false });
      expect(status.attention).toEqual([
        { what: expect.stringContaining(what) as string, remedy: expect.stringContaining(remedy) as string },
      ]);
      expect(status.signals['traces']?.['undelivered']).toMatchObject({ items });
    }
    chmodSync(journal.home, 0o700);
    expect((await statusOf(journal.home)).code).toBe(EXIT.ok);
  });

  test('changes nothing, not even in an empty home', async () => {
    const empty = temporaryFolder();
    await statusOf(empty);
    expect(readdirSync(empty)).toEqual([]);
    const journal = new JournalFolder();
    journal.segment('traces', [traceLine([span(1, NOW)])]);
    const before = readdirSync(journal.home, { recursive: true });
    await statusOf(journal.home);
    expect(readdirSync(journal.home, { recursive: true })).toEqual(before);
  });
});
