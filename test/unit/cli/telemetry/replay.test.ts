import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXIT, Interruption } from '../../../../src/cli/frame/exit-codes.ts';
import { FakeClock } from '../../../../src/testing/index.ts';
import { MemorySink } from '../cli-harness.ts';
import { JournalFolder } from './journal-folder.ts';
import { logLine, metricLine, span, traceLine } from './otlp-lines.ts';
import { fileOf, letting, MINUTE, NOW, replayed, replaying } from './replay-harness.ts';
import { ScriptedReceiver, TAKEN } from './scripted-receiver.ts';

describe('keelson telemetry replay', () => {
  test('sends every line of a home byte for byte, to the path of its signal, oldest first', async () => {
    const journal = new JournalFolder();
    const traces = [1, 2, 3].map((id) => traceLine([span(id, NOW, { name: `a\u2028b ${id}` })]));
    const metrics = metricLine([1, 2], NOW);
    const logs = logLine(['eins', 'zwei', 'drei'], NOW);
    journal.segment('traces', traces.slice(1), { openedAt: NOW + 3_000 });
    journal.segment('traces', traces.slice(0, 1), { openedAt: NOW, archive: true, owner: '1-aaaa' });
    journal.segment('metrics', [metrics], { openedAt: NOW + 1_000 });
    journal.segment('logs', [logs], { openedAt: NOW + 2_000 });
    const receiver = await ScriptedReceiver.start();
    const { code, report } = await replayed([journal.home, '--to', receiver.url]);
    expect(receiver.requests.map(({ path, text }) => [path, text])).toEqual([
      ['/v1/traces', traces[0]],
      ['/v1/metrics', metrics],
      ['/v1/logs', logs],
      ['/v1/traces', traces[1]],
      ['/v1/traces', traces[2]],
    ]);
    expect({ code, files: report.files, lines: report.lines }).toEqual({ code: EXIT.ok, files: 4, lines: 5 });
    expect(report.signals).toMatchObject({
      traces: { requests: 3, sent: 3 },
      metrics: { requests: 1, sent: 2 },
      logs: { requests: 1, sent: 3 },
    });
  });

  test('goes on past a folder that has the name of a lock', async () => {
    const journal = new JournalFolder();
    journal.segment('traces', [traceLine([span(1, NOW)])], { owner: '1-aaaa', tail: '{"resourceSp' });
    mkdirSync(join(journal.telemetry, 'owners/1-aaaa.lock'), { recursive: true });
    const receiver = await ScriptedReceiver.start();
    const { report } = await replayed([journal.home, '--to', receiver.url]);
    expect(report.signals['traces']).toMatchObject({ sent: 1 });
    expect(report.damaged).toMatchObject([{ line: 2 }]);
  });

  test('never changes what it sends from', async () => {
    const file = fileOf(traceLine([span(1, NOW)]), 'damaged');
    const before = readFileSync(file);
    const receiver = await ScriptedReceiver.start();
    await replaying([file, '--to', receiver.url]);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('takes headers from the environment and from options, and compresses where it shall', async () => {
    const receiver = await ScriptedReceiver.start();
    const env = {
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=a,x-key=from-env',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-traces=1',
    };
    const file = fileOf(traceLine([span(1, NOW)]));
    await replaying([file, '--to', `${receiver.url}/otlp/`, '--gzip', '--header', 'X-Key=hunter2'], { env });
    expect(receiver.requests[0]).toMatchObject({
      path: '/otlp/v1/traces',
      headers: { 'x-tenant': 'a', 'x-key': 'hunter2', 'x-traces': '1', 'content-encoding': 'gzip' },
      text: traceLine([span(1, NOW)]),
    });
  });

  test('never prints secrets of the address, of headers or of answers', async () => {
    const receiver = await ScriptedReceiver.start(() => ({
      status: 400,
      body: 'bad: Bearer hunter2hunter2',
    }));
    const url = receiver.url.replace('http://', 'http://ada:hunter2@');
    const file = fileOf(traceLine([span(1, NOW)]));
    const args = [file, '--to', `${url}?key=hunter2`, '--header', 'authorization=Bearer hunter2'];
    for (const json of [[], ['--json']]) {
      const { code, stdout, stderr } = await replaying([...args, ...json], { stderr: new MemorySink(true) });
      expect(code).toBe(EXIT.unwell);
      expect(stdout).toContain(receiver.url);
      expect(stdout + stderr).not.toContain('hunter2');
    }
  });

  test('sends one signal, and of lines at the border of a time only the items inside, with their integers', async () => {
    const lines = [
      traceLine([span(1, NOW - 10 * MINUTE)]),
      traceLine([span(2, NOW - 6 * MINUTE), span(3, NOW - 4 * MINUTE)]).replace(
        '"kind":1',
        '"kind":9007199254740993',
      ),
      traceLine([span(4, NOW - 3 * MINUTE), span(5, NOW - 2 * MINUTE)]),
      metricLine([1, 2], NOW - 3 * MINUTE),
    ];
    const receiver = await ScriptedReceiver.start();
    const args = [fileOf(...lines), '--to', receiver.url, '--signal', 'traces'];
    const { code, report } = await replayed([...args, '--since', '5m', '--until', '2026-11-22T11:58:00Z']);
    const ids = receiver.requests.flatMap(({ text }) => text.match(/span \d/g) ?? []);
    expect({ code, ids }).toEqual({ code: EXIT.ok, ids: ['span 3', 'span 4'] });
    expect(report.signals).toMatchObject({
      traces: { sent: 2, skipped: 3 },
      metrics: { sent: 0, skipped: 2 },
    });

    await replayed([...args, '--since', '7m']);
    expect(receiver.requests[2]?.text).toBe(lines[1]);
    expect(receiver.requests).toHaveLength(4);
  });

  test('sends nothing in a dry run, and says what it would', async () => {
    const receiver = await ScriptedReceiver.start();
    const { code, stdout } = await replaying([
      fileOf(traceLine([span(1, NOW), span(2, NOW)]), 'damaged'),
      '--to',
      receiver.url,
      '--dry-run',
    ]);
    expect({ code, requests: receiver.requests.length }).toEqual({ code: EXIT.unwell, requests: 0 });
    expect(stdout).toContain('Would send 2 items');
    expect(stdout).toContain('lines.jsonl:2: it is not JSON');
  });

  test('counts damaged lines with their place, goes on, and ends with 1', async () => {
    const receiver = await ScriptedReceiver.start();
    const file = fileOf('{"resourceSp', traceLine([span(1, NOW)]), '{"spans":[]}', traceLine([span(2, NOW)]));
    const { code, report } = await replayed([file, '--to', receiver.url]);
    expect({ code, requests: receiver.requests.length }).toEqual({ code: EXIT.unwell, requests: 2 });
    expect(report.damaged).toMatchObject([
      { file, line: 1, problem: 'it is not JSON' },
      { file, line: 3 },
    ]);
  });

  test('leaves the unfinished line of a living process, files that are foreign, and what was set aside, and says so', async () => {
    const journal = new JournalFolder();
    const { path } = journal.segment('traces', [traceLine([span(1, NOW)])], { tail: '{"resourceSp' });
    journal.lock('4711-9f3c', 'alive', NOW);
    journal.file(join(journal.telemetry, 'traces/notes.txt'), 'x');
    const rejected = join(journal.telemetry, 'rejected');
    journal.file(join(rejected, 'logs/2026-11-22T000000000Z-4711-9f3c-0.jsonl'), `${logLine(['a'], NOW)}\n`);
    const receiver = await ScriptedReceiver.start();
    const { code, report } = await replayed([journal.home, '--to', receiver.url]);
    expect(code).toBe(EXIT.ok);
    expect(report).toMatchObject({
      unfinished: [path],
      foreign: [join(journal.telemetry, 'traces/notes.txt')],
      leftOut: [rejected],
    });
    await replayed([rejected, '--to', receiver.url]);
    expect(receiver.requests.map(({ path }) => path)).toEqual(['/v1/traces', '/v1/logs']);
  });
});

describe('a replay', () => {
  const lines = Array.from({ length: 10 }, (_, id) => traceLine([span(id + 1, NOW)]));

  test.each([
    ['2/s', 4_500],
    [`${Buffer.byteLength(lines[0] ?? '')}B/s`, 9_000],
  ])('at %s takes as long as that asks for', async (rate, expectedMs) => {
    const clock = new FakeClock(NOW);
    const receiver = await ScriptedReceiver.start();
    const { code } = await letting(
      clock,
      replayed([fileOf(...lines), '--to', receiver.url, '--rate', rate], { clock }),
    );
    expect({ code, requests: receiver.requests.length }).toEqual({ code: EXIT.ok, requests: 10 });
    expect(clock.now()).toBeGreaterThanOrEqual(expectedMs);
  });

  test('shows how far it is, on a terminal', async () => {
    const clock = new FakeClock(NOW);
    const terminal = new MemorySink(true, 120);
    const receiver = await ScriptedReceiver.start();
    await letting(
      clock,
      replaying([fileOf(...lines), '--to', receiver.url, '--rate', '5/s'], { clock, stderr: terminal }),
    );
    expect(terminal.text).toMatch(/replay: \d\.\d KiB of \d\.\d KiB, \d+ items, \d+\/s, \S+ left/);
    expect(terminal.text.endsWith('\r\u001b[K')).toBe(true);
  });

  test('of a window without any time in it is refused', async () => {
    const file = fileOf(...lines);
    const window = ['--since', '2h', '--until', '3h', '--dry-run'];
    const { code, stderr } = await replaying([file, '--to', 'http://127.0.0.1:1', ...window]);
    expect(code).toBe(EXIT.usage);
    expect(stderr).toContain('Expected `--since` to be before `--until`');
  });

  test('that is interrupted says what it did and where it stopped', async () => {
    const interrupt = new AbortController();
    const receiver = await ScriptedReceiver.start((_request, index) => {
      if (index === 3) interrupt.abort(new Interruption('SIGINT'));
      return TAKEN;
    });
    const { code, report } = await replayed([fileOf(...lines), '--to', receiver.url], {
      signal: interrupt.signal,
    });
    expect(code).toBe(EXIT.interrupted);
    expect(report.stopped).toMatchObject({ reason: 'interrupted' });
    const { sent = 0 } = report.signals['traces'] ?? {};
    expect(report.stopped?.line).toBeGreaterThanOrEqual(sent);
    expect(sent).toBeLessThan(10);
  });

  test.each([
    ['ftp://example.com', 'to be an http or https address'],
    ['http://localhost:4318/v1/traces', 'to be the address before the path of a signal'],
  ])('to %s is a usage error', async (url, message) => {
    const { code, stderr } = await replaying(['x.jsonl', '--to', url]);
    expect(code).toBe(EXIT.usage);
    expect(stderr).toContain(message);
  });

  test('says which variables it could not use', async () => {
    const receiver = await ScriptedReceiver.start();
    const env = { OTEL_EXPORTER_OTLP_TIMEOUT: 'soon' };
    const { code, stderr } = await replaying([fileOf(...lines), '--to', receiver.url], { env });
    expect(code).toBe(EXIT.ok);
    expect(stderr.match(/OTEL_EXPORTER_OTLP_TIMEOUT/g)).toHaveLength(1);
  });
});
