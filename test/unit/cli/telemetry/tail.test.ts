import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CATALOG } from '../../../../src/cli/catalog.ts';
import { EXIT, Interruption } from '../../../../src/cli/frame/exit-codes.ts';
import { runCli } from '../../../../src/cli/frame/run-cli.ts';
import { POLL_MS } from '../../../../src/cli/telemetry/tail.ts';
import { FakeClock, seededRandom } from '../../../../src/testing/index.ts';
import { eventually } from '../../../support/otlp-receiver.ts';
import { MemorySink, runInMemory } from '../cli-harness.ts';
import { JournalFolder } from './journal-folder.ts';
import { logLine, metricLine, span, traceLine } from './otlp-lines.ts';

const NOW = Date.UTC(2026, 10, 22, 12);

const tailOf = async (journal: JournalFolder, ...args: readonly string[]): Promise<readonly string[]> => {
  const { stdout } = await runInMemory(['telemetry', 'tail', '--home', journal.home, ...args]);
  return stdout === '' ? [] : stdout.trimEnd().split('\n');
};

/** A running `tail --follow`. */
class Following {
  readonly stdout = new MemorySink();
  readonly #clock = new FakeClock();
  readonly #interrupt = new AbortController();
  readonly #ended: Promise<number>;

  constructor(journal: JournalFolder) {
    this.#ended = runCli(['telemetry', 'tail', '--follow', '--json', '--home', journal.home], CATALOG, {
      about: { version: '0', node: '24.15.0', supportedNode: '>=24.0.0' },
      stdout: this.stdout,
      stderr: new MemorySink(),
      env: {},
      cwd: '/',
      clock: this.#clock,
      random: seededRandom(1),
      signal: this.#interrupt.signal,
    });
    onTestFinished(async () => {
      await this.end();
    });
  }

  get names(): readonly string[] {
    return this.stdout.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { span: { name: string } }).span.name);
  }

  /**
   * Lets time pass until so many are shown, and then as much again, so that what is too much shows too.
   * @returns the names of all that were shown
   */
  async after(count: number): Promise<readonly string[]> {
    const enough = async (): Promise<boolean> => {
      await this.#clock.advance(POLL_MS);
      return this.names.length >= count;
    };
    await eventually(enough, `${count} spans`);
    for (let poll = 0; poll < 5; poll += 1) await this.#clock.advance(POLL_MS);
    return this.names;
  }

  end(): Promise<number> {
    this.#interrupt.abort(new Interruption('SIGINT'));
    return this.#ended;
  }
}

describe('keelson telemetry tail', () => {
  test('shows the newest items of all signals by time, for people', async () => {
    const journal = new JournalFolder();
    const failed = { name: 'GET /pay\u001b[2J', status: { code: 2, message: 'refused' } };
    journal.segment('traces', [traceLine([span(1, NOW), span(2, NOW + 3_000, failed)])], { changedAt: NOW });
    journal.segment('logs', [logLine(['order placed'], NOW + 1_000)], { changedAt: NOW });
    journal.segment('metrics', [metricLine([7], NOW + 2_000)], { changedAt: NOW });
    expect(await tailOf(journal)).toEqual([
      `2026-11-22T12:00:00.000Z  traces   shop  span 1  12ms  ok  ${'1'.padStart(32, '0')}`,
      '2026-11-22T12:00:01.000Z  logs     shop  INFO  order placed',
      '2026-11-22T12:00:02.000Z  metrics  shop  shop.orders  7 {order}  kind=0',
      `2026-11-22T12:00:03.000Z  traces   shop  GET /pay\\u{1b}[2J  12ms  error refused  ${'2'.padStart(32, '0')}`,
    ]);
    expect(await tailOf(journal, '--signal', 'logs')).toHaveLength(1);
    expect(await tailOf(journal, '-n', '2')).toHaveLength(2);
    expect(await tailOf(journal, '-n', '0')).toEqual([]);
  });

  test('leaves room for every signal beside a batch of many points, and fills what a signal does not need', async () => {
    const journal = new JournalFolder();
    journal.segment(
      'traces',
      [1, 2, 3, 4, 5, 6].map((id) => traceLine([span(id, NOW + id)])),
    );
    journal.segment('logs', [logLine(['order placed'], NOW)]);
    journal.segment('metrics', [metricLine([...Array(50).keys()], NOW + 60_000)]);
    const lines = await tailOf(journal);
    expect(lines.map((line) => /kind=\d+|span \d|order placed/.exec(line)?.[0])).toEqual([
      'order placed',
      'span 3',
      'span 4',
      'span 5',
      'span 6',
      'kind=45',
      'kind=46',
      'kind=47',
      'kind=48',
      'kind=49',
    ]);
    expect(await tailOf(journal, '--signal', 'metrics')).toHaveLength(10);
  });

  test('goes back through files, archives too, until there is enough, and takes several processes together', async () => {
    const journal = new JournalFolder();
    const file = (id: number, owner: string, archive = false): void => {
      const openedAt = NOW + id * 1_000;
      journal.segment('traces', [traceLine([span(id, openedAt), span(id + 100, openedAt + 60_000)])], {
        owner,
        openedAt,
        changedAt: openedAt + 60_000,
        archive,
      });
    };
    file(1, '1-aaaa', true);
    file(2, '1-aaaa');
    file(3, '2-bbbb');
    const names = (lines: readonly string[]): readonly string[] =>
      lines.map((line) => /span \d+/.exec(line)?.[0] ?? '');
    expect(names(await tailOf(journal, '-n', '3'))).toEqual(['span 101', 'span 102', 'span 103']);
    expect(names(await tailOf(journal, '-n', '5'))).toEqual([
      'span 2',
      'span 3',
      'span 101',
      'span 102',
      'span 103',
    ]);
  });

  test('gives raw items as JSON lines, with the integers that were written', async () => {
    const journal = new JournalFolder();
    const line = metricLine([1], NOW).replace('"asInt":1', '"asInt":9007199254740993');
    journal.segment('metrics', [line], { changedAt: NOW });
    const [text = ''] = await tailOf(journal, '--json');
    expect(text).toContain('"asInt":9007199254740993');
    expect(JSON.parse(text)).toMatchObject({
      signal: 'metrics',
      resource: { attributes: [{ key: 'service.name' }] },
      scope: { name: 'keelson' },
      metric: { name: 'shop.orders', type: 'sum' },
      point: { timeUnixNano: `${NOW}000000` },
    });
  });

  test('says where there is nothing yet, and which lines it could not read', async () => {
    const journal = new JournalFolder();
    const empty = await runInMemory(['telemetry', 'tail', '--home', journal.home]);
    expect(empty).toMatchObject({ code: 0, stdout: '' });
    expect(empty.stderr).toContain('Nothing is there yet');
    journal.segment('traces', ['damaged', traceLine([span(1, NOW)])], { changedAt: NOW });
    const damaged = await runInMemory(['telemetry', 'tail', '--home', journal.home]);
    expect(damaged.stdout.split('\n')).toHaveLength(2);
    expect(damaged.stderr).toContain('1 line could not be read');
  });

  test('says of a home that is a file that it is none, and takes it for no defect', async () => {
    const { home } = new JournalFolder();
    const file = join(home, 'app.js');
    writeFileSync(file, '');
    const { code, stderr } = await runInMemory(['telemetry', 'tail', '--home', file]);
    expect(code).toBe(EXIT.unwell);
    expect(stderr).toContain('ENOTDIR.\nCheck the path: --home');
    expect(stderr).not.toContain('defect');
  });

  test('follows what is written, new files, unfinished lines and files that get another name', async () => {
    const journal = new JournalFolder();
    const { path } = journal.segment('traces', [traceLine([span(1, NOW)])], { changedAt: NOW });
    const following = new Following(journal);
    expect(await following.after(1)).toEqual(['span 1']);

    const next = `${traceLine([span(2, NOW)])}\n`;
    appendFileSync(path, next.slice(0, 40));
    expect(await following.after(1)).toEqual(['span 1']);
    appendFileSync(path, next.slice(40));
    expect(await following.after(2)).toEqual(['span 1', 'span 2']);

    const adopted = join(path, '../2026-11-22T000000000Z-99-beef-0.jsonl');
    renameSync(path, adopted);
    appendFileSync(adopted, `${traceLine([span(3, NOW)])}\n`);
    journal.segment('traces', [traceLine([span(4, NOW + 1)])], { owner: '5-cafe' });
    expect(await following.after(4)).toEqual(['span 1', 'span 2', 'span 3', 'span 4']);

    // Cut back by a writer that could not finish, written again, and gone.
    writeFileSync(adopted, '');
    expect(await following.after(4)).toEqual(['span 1', 'span 2', 'span 3', 'span 4']);
    rmSync(adopted);
    journal.segment('traces', [traceLine([span(5, NOW)])], { owner: '6-cafe' });
    expect(await following.after(5)).toEqual(['span 1', 'span 2', 'span 3', 'span 4', 'span 5']);
    expect(await following.end()).toBe(130);
  });

  test('waits for a home that does not exist yet', async () => {
    const journal = new JournalFolder();
    rmSync(journal.home, { recursive: true });
    const following = new Following(journal);
    expect(await following.after(0)).toEqual([]);
    journal.segment('traces', [traceLine([span(1, NOW)])]);
    expect(await following.after(1)).toEqual(['span 1']);
  });
});
