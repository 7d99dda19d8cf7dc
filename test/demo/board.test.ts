import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { painter, table } from '../../examples/demo/board.ts';
import { faultScript } from '../../examples/demo/fault-script.ts';
import type { GuardNews, GuardReport } from '../../examples/demo/messages.ts';
import type { RunState } from '../../examples/demo/run.ts';
import { liveScreen } from '../../examples/demo/screen.ts';

const report: GuardReport = {
  snapshot: {
    name: 'payments',
    calls: { success: 12, failure: 3, timeout: 2, rejected: 40, cancelled: 1 },
    inFlight: 4,
    abandoned: 0,
    attempts: { success: 12, failure: 6, timeout: 3, cancelled: 1 },
    retries: 5,
    suppressed: {},
    rejections: { 'breaker/open': 40 },
    breaker: { state: 'half_open', retryAfterMs: undefined, transitions: {}, shadowRejections: 0 },
    enabled: true,
    origins: { live: 7, cache: 4, stale: 1, fallback: 0 },
    keys: 0,
    listenerFailures: 0,
  },
  latency: { p50: 20.4, p95: 100, p99: 301.6, max: 400 },
};

const rejected: GuardNews = {
  at: 1_500,
  guard: 'payments',
  type: 'rejected',
  says: 'rejected by the breaker (open)',
};

function runState(): RunState {
  return {
    flags: { durationMs: 20_000, json: false, seed: 1, otlp: undefined, home: undefined },
    home: 'home',
    startedAt: 0,
    phases: [],
    transitions: [],
    shoppers: { came: 0, ordered: 0, refused: 0, gaveUp: 0 },
    processes: [],
    guards: [report],
    warnings: [],
    final: undefined,
  };
}

describe('the table', () => {
  test('has one row for each guard, under its headings', () => {
    const rows = table([report], painter(false)).map((row) => row.split(/ {2,}/));
    expect(rows).toEqual([
      [
        'guard',
        'breaker',
        'success',
        'cached',
        'stale',
        'failure',
        'timeout',
        'rejected',
        'cancelled',
        'retries',
        'in flight',
        'p50',
        'p99',
      ],
      ['payments', 'half-open', '12', '4', '1', '3', '2', '40', '1', '5', '4', '20 ms', '302 ms'],
    ]);
  });

  test('fits a narrow terminal by leaving out what matters least', () => {
    for (const [width, missing] of [
      [120, []],
      [110, ['in flight']],
      [90, ['in flight', 'cancelled', 'p50']],
      [80, ['in flight', 'cancelled', 'p50', 'retries']],
      [20, ['in flight', 'cancelled', 'p50', 'retries']],
    ] as const) {
      const all = table([report], painter(false));
      const rows = table([report], painter(false), width);
      const headings = (text = ''): readonly string[] => text.split(/ {2,}/);
      const left = headings(all[0]).filter((heading) => !headings(rows[0]).includes(heading));
      expect(new Set(left)).toEqual(new Set(missing));
      expect(rows.every((row) => row.length <= Math.max(width, 80))).toBe(true);
      expect(new Set(rows.map((row) => row.length)).size).toBe(1);
    }
  });

  test('has colours only where they are wanted', () => {
    expect(table([report], painter(true)).join('')).toContain('\u001b[33m');
    expect(table([report], painter(false)).join('')).not.toContain('\u001b');
  });
});

describe('the live screen', () => {
  function drawn(
    rows: number,
    columns = 120,
  ): {
    readonly frames: () => readonly string[];
    readonly screen: ReturnType<typeof liveScreen>;
  } {
    vi.useFakeTimers();
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const out = Object.assign(new PassThrough(), { rows, columns });
    const frames: string[] = [];
    out.on('data', (chunk: Buffer) => frames.push(chunk.toString()));
    const screen = liveScreen(out as unknown as WriteStream, painter(false));
    return { frames: () => frames, screen };
  }

  test('draws over what it drew before', () => {
    const { frames, screen } = drawn(40);
    const [phase] = faultScript(1, 20_000);
    screen.ready(runState());
    if (phase) screen.phase({ ...phase, startedAt: 0 });
    vi.advanceTimersByTime(450);
    screen.close();
    const [first = '', second = ''] = frames();
    expect(frames()).toHaveLength(3);
    expect(first).toContain('healthy: everything answers');
    expect(first).not.toMatch(/\[\d+A/);
    expect(second).toContain(`\u001b[${first.split('\n').length - 1}A`);
  });

  test('counts what happens again and again instead of repeating it', () => {
    const { frames, screen } = drawn(40);
    screen.ready(runState());
    for (let time = 0; time < 3; time += 1) screen.news(rejected);
    screen.news({
      ...rejected,
      type: 'breaker.transition',
      says: 'breaker open -> half_open',
      to: 'half_open',
    });
    screen.close();
    const lines = (frames().at(-1) ?? '').split('\n').filter((line) => line.includes('breaker '));
    expect(lines.map((line) => line.replace(/^.*?payments +/, ''))).toEqual([
      expect.stringContaining('success'),
      'rejected by the breaker (open) (3 times)',
      'breaker open -> half_open',
    ]);
  });

  test('draws no line wider than an ordinary terminal', () => {
    const { frames, screen } = drawn(40, 80);
    screen.ready(runState());
    screen.close();
    const lines = (frames().at(-1) ?? '').split('\n').filter((line) => line.includes('payments'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('20 ms');
    expect(lines[0]).toContain('302 ms');
  });

  test('never draws more lines than the terminal has', () => {
    const { frames, screen } = drawn(4);
    screen.ready(runState());
    screen.close();
    expect((frames().at(-1) ?? '').split('\n').length - 1).toBeLessThanOrEqual(4);
  });
});
