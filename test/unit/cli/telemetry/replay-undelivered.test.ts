import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { EXIT } from '../../../../src/cli/frame/exit-codes.ts';
import { FakeClock } from '../../../../src/testing/index.ts';
import { JournalFolder } from './journal-folder.ts';
import { span, traceLine } from './otlp-lines.ts';
import { fileOf, letting, NOW, replayed, replaying } from './replay-harness.ts';
import { ScriptedReceiver, TAKEN } from './scripted-receiver.ts';

const DEAD = '12-abcd';
const ALIVE = '4711-9f3c';
const lineOf = (id: number): string => traceLine([span(id, NOW)]);
const sizeOf = (...lines: readonly string[]): number =>
  lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);

/** A dead owner with five lines, of which the second and the fourth were delivered, a living one with a line, an archive and a delivered segment. */
function journalOf(): JournalFolder {
  const journal = new JournalFolder();
  const lines = [1, 2, 3, 4, 5].map(lineOf);
  const { key } = journal.segment('traces', lines, { owner: DEAD });
  const done = journal.segment('traces', [lineOf(8)], { owner: DEAD, number: 1 });
  journal.segment('traces', [lineOf(7)], { owner: DEAD, number: 2, archive: true });
  journal.segment('traces', [lineOf(6)], { owner: ALIVE, number: 9, openedAt: NOW, tail: '{"resourceSp' });
  const starts = lines.map((_, at) => sizeOf(...lines.slice(0, at)));
  journal.cursor(DEAD, {
    [key]: [
      [starts[1] ?? 0, starts[2] ?? 0],
      [starts[3] ?? 0, starts[4] ?? 0],
    ],
    [done.key]: [[0, sizeOf(lineOf(8))]],
  });
  journal.lock(DEAD, 'gone', NOW);
  journal.lock(ALIVE, 'alive', NOW);
  return journal;
}

describe('keelson telemetry replay --undelivered', () => {
  test('sends the lines of a home that its cursors do not call delivered, and says which may come twice', async () => {
    const journal = journalOf();
    const receiver = await ScriptedReceiver.start();
    const { code, report } = await replayed([journal.home, '--to', receiver.url, '--undelivered']);
    expect(receiver.requests.map(({ text }) => text)).toEqual([1, 3, 5, 6].map(lineOf));
    expect(code).toBe(EXIT.ok);
    expect(report).toMatchObject({
      files: 2,
      lines: 4,
      bytes: sizeOf(...[1, 3, 5, 6].map(lineOf)) - 4,
      signals: { traces: { sent: 4 } },
      live: [expect.stringContaining(ALIVE)],
      unfinished: [expect.stringContaining(ALIVE)],
      delivered: { archives: 1, bytes: sizeOf(...[2, 4, 8].map(lineOf)) },
      unreadable: [],
    });
    const { stdout } = await replaying([journal.home, '--to', receiver.url, '--undelivered', '--dry-run']);
    expect(stdout).toMatch(/1 segment of living processes: what these deliver themselves .* arrives twice/);
    expect(stdout).toMatch(/delivered already, not sent: .* of segments, 1 archive/);
    expect(stdout).toMatch(/Would send 4 items/);
  });

  test('names the right line of a file, although those before it were delivered', async () => {
    const journal = new JournalFolder();
    const { key } = journal.segment('traces', [lineOf(1), lineOf(2), 'damaged'], { owner: DEAD });
    journal.cursor(DEAD, { [key]: [[0, sizeOf(lineOf(1), lineOf(2))]] });
    const receiver = await ScriptedReceiver.start();
    const { code, report } = await replayed([journal.home, '--to', receiver.url, '--undelivered']);
    expect({ code, sent: receiver.requests.length }).toEqual({ code: EXIT.unwell, sent: 0 });
    expect(report.damaged).toEqual([expect.objectContaining({ line: 3, problem: 'it is not JSON' })]);
  });

  test.each([
    ['is no JSON', '{"version":1'],
    [
      'speaks of bytes beyond the end of the file',
      JSON.stringify({
        version: 1,
        owner: DEAD,
        savedAt: 0,
        segments: { 'traces/2026-11-22T000000000Z-12-abcd-0.jsonl': [[0, 9_999]] },
      }),
    ],
  ])('sends all where a cursor %s, and says so', async (_, text) => {
    const journal = journalOf();
    journal.file(join(journal.telemetry, `owners/${DEAD}.cursor.json`), text);
    const receiver = await ScriptedReceiver.start();
    const { code, report } = await replayed([journal.home, '--to', receiver.url, '--undelivered']);
    expect(code).toBe(EXIT.ok);
    expect(report.unreadable).toEqual([expect.stringContaining(`${DEAD}.cursor.json`)]);
    expect(receiver.requests.map(({ text: body }) => body)).toEqual(
      expect.arrayContaining([1, 2, 3, 4, 5, 6].map(lineOf)),
    );
  });

  test('refuses files that are in no journal, before anything is sent', async () => {
    const journal = journalOf();
    const aside = join(journal.telemetry, 'rejected/traces/2026-11-22T000000000Z-12-abcd-0.jsonl');
    journal.file(aside, `${lineOf(1)}\n`);
    const receiver = await ScriptedReceiver.start();
    for (const file of [fileOf(lineOf(1)), aside]) {
      const { code, stderr } = await replaying([journal.home, file, '--to', receiver.url, '--undelivered']);
      expect(code).toBe(EXIT.unwell);
      expect(stderr).toContain(`${file} is in no journal: no cursor says what of it was delivered.`);
      expect(stderr).toContain('leave --undelivered out');
    }
    expect(receiver.requests).toEqual([]);
  });

  test('that cannot go on is to be run again: nobody has to find out which files wait', async () => {
    const clock = new FakeClock(NOW);
    const receiver = await ScriptedReceiver.start((_request, index) =>
      index === 0 ? TAKEN : { status: 503 },
    );
    const { report } = await letting(
      clock,
      replayed([journalOf().home, '--to', receiver.url, '--undelivered', '--wait', '2s'], { clock }),
    );
    expect(report.stopped?.remedy).toMatch(/run it again: .* arrives twice/);
    expect(report).toMatchObject({ bytes: Buffer.byteLength(lineOf(1)), signals: { traces: { sent: 1 } } });
  });

  test('leaves alone what is delivered while it runs', async () => {
    const journal = new JournalFolder();
    journal.segment('traces', [lineOf(1)], { owner: DEAD });
    const later = journal.segment('traces', [lineOf(2), lineOf(3)], { owner: ALIVE, openedAt: NOW });
    const receiver = await ScriptedReceiver.start(() => {
      journal.cursor(ALIVE, { [later.key]: [[0, sizeOf(lineOf(2))]] });
      return TAKEN;
    });
    await replayed([journal.home, '--to', receiver.url, '--undelivered']);
    expect(receiver.requests.map(({ text }) => text)).toEqual([lineOf(1), lineOf(3)]);
  });
});

describe('files that move while keelson telemetry replay runs', () => {
  const lines = [lineOf(2), lineOf(3)];

  async function replayWhile(
    change: (path: string) => void,
    ...args: readonly string[]
  ): Promise<{ texts: readonly string[]; code: number; damaged: readonly object[] }> {
    const journal = new JournalFolder();
    journal.segment('traces', [lineOf(1)], { owner: DEAD });
    const { path } = journal.segment('traces', lines, { owner: ALIVE, openedAt: NOW });
    const receiver = await ScriptedReceiver.start(() => {
      if (existsSync(path)) change(path);
      return TAKEN;
    });
    const { code, report } = await replayed([journal.home, '--to', receiver.url, ...args]);
    return { texts: receiver.requests.map(({ text }) => text), code, damaged: report.damaged };
  }

  const adopt = (path: string): void => renameSync(path, path.replace(ALIVE, '99-beef'));
  const archive = (path: string): void => {
    writeFileSync(`${path}.gz`, gzipSync(lines.map((line) => `${line}\n`).join('')));
    rmSync(path);
  };

  test('are read under the name that their adopter gave them', async () => {
    expect(await replayWhile(adopt)).toEqual({ texts: [lineOf(1), ...lines], code: EXIT.ok, damaged: [] });
    expect((await replayWhile(adopt, '--undelivered')).texts).toEqual([lineOf(1), ...lines]);
  });

  test('are read as archives; with --undelivered they are done with', async () => {
    expect(await replayWhile(archive)).toEqual({ texts: [lineOf(1), ...lines], code: EXIT.ok, damaged: [] });
    expect(await replayWhile(archive, '--undelivered')).toEqual({
      texts: [lineOf(1)],
      code: EXIT.ok,
      damaged: [],
    });
  });

  test('are listed where somebody removed them, and the rest goes on', async () => {
    const { texts, code, damaged } = await replayWhile((path) => rmSync(path));
    expect({ texts, code }).toEqual({ texts: [lineOf(1)], code: EXIT.unwell });
    expect(damaged).toEqual([expect.objectContaining({ problem: 'cannot be read: ENOENT' })]);
  });

  test('are listed where they are archives, too', async () => {
    const journal = new JournalFolder();
    const [, second = '', , fourth = ''] = [1, 2, 3, 4].map((id) => {
      const openedAt = NOW + id;
      return journal.segment('traces', [lineOf(id)], { owner: DEAD, number: id, openedAt, archive: true })
        .path;
    });
    const receiver = await ScriptedReceiver.start((_request, index) => {
      if (index === 0) for (const path of [second, fourth]) rmSync(path);
      return TAKEN;
    });
    const { code, report } = await replayed([journal.home, '--to', receiver.url]);
    expect(receiver.requests.map(({ text }) => text)).toEqual([1, 3].map(lineOf));
    expect(code).toBe(EXIT.unwell);
    expect(report.damaged).toEqual(
      [second, fourth].map((file) => ({ file, line: 1, problem: 'cannot be read: ENOENT' })),
    );
  });
});
