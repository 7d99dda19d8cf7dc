import { describe, expect, test } from 'vitest';
import { EXIT } from '../../../../src/cli/frame/exit-codes.ts';
import { FakeClock } from '../../../../src/testing/index.ts';
import { span, traceLine } from './otlp-lines.ts';
import { fileOf, letting, NOW, replayed, replaying } from './replay-harness.ts';
import { ScriptedReceiver, TAKEN } from './scripted-receiver.ts';

describe('a receiver that', () => {
  const two = (): string => fileOf(traceLine([span(1, NOW)]), traceLine([span(2, NOW)]));

  test('refuses a batch for good: its words are in the summary with the line, and the rest goes on', async () => {
    const receiver = await ScriptedReceiver.start((_request, index) =>
      index === 0 ? { status: 400, body: 'bad span' } : TAKEN,
    );
    const file = two();
    const { code, report } = await replayed([file, '--to', receiver.url]);
    expect(code).toBe(EXIT.unwell);
    expect(report.rejected).toEqual([{ file, line: 1, items: 1, status: 400, answer: 'bad span' }]);
    expect(report.signals['traces']).toMatchObject({ sent: 1, rejected: 1 });
    const again = await ScriptedReceiver.start(() => ({ status: 400, body: 'bad span' }));
    expect((await replaying([file, '--to', again.url])).stdout).toContain(
      `${file}:2: 1 item refused for good, HTTP 400: bad span`,
    );
  });

  test('takes a part: what it refused is counted and ends with 1', async () => {
    const partial = { partialSuccess: { rejectedSpans: '2', errorMessage: 'too old' } };
    const receiver = await ScriptedReceiver.start(() => ({ ...TAKEN, body: JSON.stringify(partial) }));
    const file = fileOf(traceLine([span(1, NOW), span(2, NOW), span(3, NOW)]));
    const { code, report } = await replayed([file, '--to', receiver.url]);
    expect(code).toBe(EXIT.unwell);
    expect(report.signals['traces']).toMatchObject({ sent: 1, refused: 2 });
    expect((await replaying([file, '--to', receiver.url])).stdout).toContain('refused items: too old');
  });

  test('takes requests with answers that are none of OTLP: that is success, and said', async () => {
    const receiver = await ScriptedReceiver.start(() => ({ status: 200, body: 'OK' }));
    const file = fileOf(traceLine([span(1, NOW)]));
    const { code, stdout } = await replaying([file, '--to', receiver.url]);
    expect(code).toBe(EXIT.ok);
    expect(stdout).toMatch(
      /note: the answers are none of OTLP's \(HTTP 200 .*"OK"\): as OTLP asks, they count as taken/,
    );
  });

  test('takes only small requests: they are split, and one item that is too large alone is refused', async () => {
    const huge = span(3, NOW, { name: 'x'.repeat(5_000) });
    const receiver = await ScriptedReceiver.start(({ text }) =>
      text.length > 1_000 ? { status: 413 } : TAKEN,
    );
    const file = fileOf(
      traceLine([span(1, NOW), span(2, NOW), huge, ...[4, 5, 6, 7].map((id) => span(id, NOW))]),
    );
    const { code, report } = await replayed([file, '--to', receiver.url]);
    const taken = receiver.requests.filter(({ text }) => text.length <= 1_000);
    expect(taken.flatMap(({ text }) => text.match(/span \d/g) ?? [])).toEqual(
      [1, 2, 4, 5, 6, 7].map((id) => `span ${id}`),
    );
    expect(code).toBe(EXIT.unwell);
    expect(report.signals['traces']).toMatchObject({ sent: 6, rejected: 1 });
    expect(report.rejected).toMatchObject([{ line: 1, items: 1, status: 413 }]);
  });

  test('asks for time gets it: Retry-After is kept, and nothing is lost or sent twice', async () => {
    const clock = new FakeClock(NOW);
    const times: number[] = [];
    const receiver = await ScriptedReceiver.start((_request, index) => {
      times.push(clock.now());
      return index < 2 ? { status: index === 0 ? 429 : 503, headers: { 'retry-after': '7' } } : TAKEN;
    });
    const { code, report } = await letting(clock, replayed([two(), '--to', receiver.url], { clock }));
    expect({ code, sent: report.signals['traces']?.['sent'] }).toEqual({ code: EXIT.ok, sent: 2 });
    expect(receiver.requests).toHaveLength(4);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(7_000);
    expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThanOrEqual(7_000);
  });

  test('stays away ends the replay after --wait, with the place at which it stopped', async () => {
    const clock = new FakeClock(NOW);
    const receiver = await ScriptedReceiver.start((_request, index) =>
      index === 0 ? TAKEN : { status: 503 },
    );
    const file = two();
    const { code, report } = await letting(
      clock,
      replayed([file, '--to', receiver.url, '--wait', '20s'], { clock }),
    );
    expect(code).toBe(EXIT.unwell);
    expect(report.stopped).toMatchObject({ file, line: 2, reason: 'HTTP 503' });
    expect(report.stopped?.remedy).toContain('To go on, name this file and the newer ones');
    expect(report.signals['traces']).toMatchObject({ sent: 1 });
    expect(clock.now()).toBeLessThan(40_000);
    expect(receiver.requests.length).toBeGreaterThan(4);
  });

  test('is none, or nobody, is not waited for longer than it helps', async () => {
    const page = await ScriptedReceiver.start(() => ({
      status: 200,
      headers: { 'content-type': 'text/html' },
      body: '<html>',
    }));
    const wrong = await replayed([two(), '--to', page.url]);
    expect(wrong).toMatchObject({ code: EXIT.unwell, report: { stopped: { line: 1 } } });
    expect(wrong.report.stopped?.remedy).toContain('check --to, --header and OTEL_EXPORTER_OTLP_HEADERS');
    expect(page.requests).toHaveLength(1);
    const nobody = await replaying([two(), '--to', 'http://127.0.0.1:1', '--wait', '0s']);
    expect(nobody.code).toBe(EXIT.unwell);
    expect(nobody.stdout).toMatch(/stopped at .*lines\.jsonl:1: ECONNREFUSED/);
  });
});
