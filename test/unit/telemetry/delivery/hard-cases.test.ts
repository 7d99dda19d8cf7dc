import { describe, expect, test } from 'vitest';
import { TelemetryCounts } from '../../../../src/telemetry/counts.ts';
import { warnAway } from '../../../../src/telemetry/delivery/away-warning.ts';
import { Sender } from '../../../../src/telemetry/delivery/sender.ts';
import type { SetAside } from '../../../../src/telemetry/journal/rejected-folder.ts';
import type { LaterReason, SendResult } from '../../../../src/telemetry/otlp/http/answer.ts';
import type { Signal } from '../../../../src/telemetry/semconv.ts';
import { FakeClock, settlePromises } from '../../../../src/testing/fake-clock.ts';
import { AWAY, setup, TAKEN } from './delivery-bench.ts';

const later = (retryAfterMs: number): SendResult => ({
  status: 'later',
  reason: 'unavailable',
  detail: 'HTTP 429',
  retryAfterMs,
});
const TOO_LARGE: SendResult = { status: 'too_large', code: 413, answer: '' };
const request = (...names: readonly string[]): Buffer =>
  Buffer.from(
    JSON.stringify({
      resourceSpans: [{ scopeSpans: [{ spans: names.map((name) => ({ name, startTimeUnixNano: '1' })) }] }],
    }),
  );

/** A sender before a receiver that takes one span at a time. */
function sending(answer: (names: readonly string[]) => SendResult): {
  readonly sender: Sender;
  readonly counts: TelemetryCounts;
  readonly warnings: string[];
} {
  const counts = new TelemetryCounts();
  const warnings: string[] = [];
  const sender = new Sender({
    signal: 'traces',
    transport: {
      send: (bytes) => {
        const { resourceSpans } = JSON.parse(Buffer.from(bytes).toString()) as {
          resourceSpans: { scopeSpans: { spans: { name: string }[] }[] }[];
        };
        const spans = resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
        return Promise.resolve(answer(spans.map(({ name }) => name)));
      },
      close() {},
    },
    counts,
    clock: new FakeClock(),
    warn: (_, message) => warnings.push(message),
    target: 'http://here',
  });
  return { sender, counts, warnings };
}

/** A sender of which a receiver takes nothing, whatever its size, until it is told to. */
function refused(signal: Signal): {
  readonly sender: Sender;
  readonly receiver: { requests: number; takes: boolean };
  readonly files: SetAside[];
  readonly counts: TelemetryCounts;
  readonly warnings: string[];
} {
  const counts = new TelemetryCounts();
  const warnings: string[] = [];
  const files: SetAside[] = [];
  const receiver = { requests: 0, takes: false };
  const sender = new Sender({
    signal,
    transport: {
      send: () => {
        receiver.requests += 1;
        return Promise.resolve(receiver.takes ? TAKEN : TOO_LARGE);
      },
      close() {},
    },
    counts,
    clock: new FakeClock(),
    warn: (_, message) => warnings.push(message),
    target: 'http://here',
    backlog: { setAside: (batch) => files.push(batch) },
  });
  return { sender, receiver, files, counts, warnings };
}

describe('a receiver that says 413 to everything', () => {
  const names = Array.from({ length: 64 }, (_, i) => `s${i}`);

  test('is asked once for each batch after the first, and each leaves one pair of files', async () => {
    const { sender, receiver, files, counts } = refused('traces');
    await sender.send({ body: request(...names), items: 64 });
    // 64, 32, 16, 8, 4, 2, 1, and what each split had left over.
    expect(receiver.requests).toBe(13);
    expect(files.map(({ items }) => items)).toEqual([64]);
    for (let i = 0; i < 10; i += 1) await sender.send({ body: request(...names), items: 64 });
    expect(receiver.requests).toBe(23);
    expect(files).toHaveLength(11);
    expect(counts.snapshot().traces.dropped.too_large).toBe(11 * 64);
  });

  test('is asked in halves again once it took something', async () => {
    const { sender, receiver, files } = refused('traces');
    await sender.send({ body: request(...names), items: 64 });
    receiver.takes = true;
    await sender.send({ body: request('a'), items: 1 });
    receiver.takes = false;
    receiver.requests = 0;
    await sender.send({ body: request(...names), items: 64 });
    expect(receiver.requests).toBe(13);
    expect(files).toHaveLength(2);
  });

  test.each([
    ['traces', 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 'OTEL_BLRP'],
    ['logs', 'OTEL_BLRP_MAX_EXPORT_BATCH_SIZE', 'OTEL_BSP'],
    ['metrics', 'Raise the limit of the receiver.', 'OTEL_'],
  ] as const)('is answered with what helps for %s', async (signal, helps, doesNot) => {
    const { sender, warnings } = refused(signal);
    await sender.send({ body: request('a'), items: 1 });
    expect(warnings.at(-1)).toContain(helps);
    expect(warnings.at(-1)).not.toContain(doesNot);
  });
});

describe('what is said of a receiver', () => {
  const said = (code: number, reason: LaterReason): readonly string[] => {
    const found: string[] = [];
    const parts = { signal: 'traces', target: 'http://here', onDisk: true } as const;
    const result = {
      status: 'later',
      reason,
      detail: `HTTP ${code}`,
      code,
      retryAfterMs: undefined,
    } as const;
    warnAway({ ...parts, warn: (kind, message) => found.push(kind, message) }, result);
    return found;
  };

  test.each([429, 503])('is that it asks to wait, with HTTP %d', (code) => {
    const [, message] = said(code, 'unavailable');
    expect(message).toContain('is overloaded or asks to wait');
    expect(message).not.toContain('is away');
  });

  test('is another thing for each status', () => {
    const kinds = [
      said(200, 'refused'),
      said(401, 'refused'),
      said(404, 'refused'),
      said(502, 'unavailable'),
    ];
    expect(new Set(kinds.map(([kind]) => kind)).size).toBe(4);
  });

  test('is another thing too where it refuses for good with another status', async () => {
    const codes = [400, 500, 400];
    const kinds: string[] = [];
    const sender = new Sender({
      signal: 'traces',
      transport: {
        send: () => Promise.resolve({ status: 'rejected', code: codes.shift() ?? 400, answer: '' }),
        close() {},
      },
      counts: new TelemetryCounts(),
      clock: new FakeClock(),
      warn: (kind) => kinds.push(kind),
      target: 'http://here',
    });
    for (const name of ['a', 'b', 'c']) await sender.send({ body: request(name), items: 1 });
    expect(new Set(kinds).size).toBe(2);
  });
});

describe('a receiver that takes a batch with an answer that is none of OTLP', () => {
  test('is not sent it again, and that is said once', async () => {
    const { transport, clock, take, counts, warnings } = setup();
    transport.answer = { status: 'taken', refused: 0, detail: undefined, odd: 'HTTP 200 with text/plain' };
    take(1, 2, 3);
    await clock.advance(600_000);
    expect(transport.sent).toEqual([1, 2, 3]);
    expect(counts.snapshot().traces).toMatchObject({ exported: 3, retries: 0 });
    expect(warnings).toEqual(['otlp:odd:http://here']);
  });
});

describe('a receiver that says Retry-After: 0', () => {
  test('is not hammered: the pauses are those of a receiver that says nothing', async () => {
    const { transport, clock, take } = setup();
    transport.answer = later(0);
    take(1);
    await clock.advance(10_000);
    expect(transport.sent.length).toBeLessThan(8);
  });
});

describe('a batch that is split before a receiver that limits requests', () => {
  test('goes on where it stopped, and is counted once', async () => {
    const taken: string[] = [];
    let busy = false;
    const { sender, counts } = sending((names) => {
      if (names.length > 1) return TOO_LARGE;
      busy = !busy;
      if (!busy) return later(1_000);
      taken.push(...names);
      return TAKEN;
    });
    const batch = { body: request('a', 'b', 'c', 'd'), items: 4 };
    let tries = 0;
    let outcome = await sender.send(batch);
    for (; outcome.status === 'later' && tries < 20; tries += 1) outcome = await sender.send(batch);
    expect(outcome).toEqual({ status: 'done', taken: 4 });
    expect(taken).toEqual(['a', 'b', 'c', 'd']);
    expect(counts.snapshot().traces.exported).toBe(4);
  });
});

describe('a newest batch that never gets through', () => {
  test('does not hold up what waits on the disk, although nothing new comes', async () => {
    const { transport, clock, disk, take, counts } = setup();
    transport.answer = AWAY;
    take(1, 2, 900);
    await settlePromises();
    transport.answer = (size) => Promise.resolve(size === 900 ? AWAY : TAKEN);
    await clock.advance(120_000);
    expect(counts.snapshot().traces.exported).toBe(2);
    expect(disk.segment.waiting.items).toBe(1);
    transport.answer = TAKEN;
    await clock.advance(60_000);
    expect(counts.snapshot().traces.exported).toBe(3);
  });
});

describe("a receiver's own words in a warning", () => {
  test('have no secrets and no control characters', async () => {
    const detail = 'Authorization: Bearer abcdef0123456789\u001b[31m\nkeelson: all is well';
    const { sender, warnings } = sending(() => ({ status: 'taken', refused: 1, detail }));
    await sender.send({ body: request('a'), items: 1 });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).not.toContain('abcdef0123456789');
    // eslint-disable-next-line no-control-regex
    expect(warnings[0]).not.toMatch(/[\u0000-\u001f]/);
  });
});
