import { describe, expect, test } from 'vitest';
import type { Keelson } from '../../../../src/guard/index.ts';
import { createKeelson } from '../../../../src/guard/index.ts';
import { FakeClock } from '../../../../src/testing/index.ts';
import { failing } from '../../../support/failing.ts';

function setUp(): { keelson: Keelson; clock: FakeClock } {
  const clock = new FakeClock();
  return { clock, keelson: createKeelson({ clock, random: () => 0.5 }) };
}

describe('a guard inside a guard', () => {
  test('does not retry what the outer one will retry, and says so', async () => {
    const { keelson, clock } = setUp();
    const outer = keelson.guard('outer', { retry: { retries: 2, delay: '1s', jitter: 0 } });
    const inner = keelson.guard('inner', { retry: { retries: 2, delay: '1s', jitter: 0 } });
    const fn = failing(99);
    const run = outer.outcome('sell', () => inner.run('charge', fn));
    await clock.advance(60_000);
    expect(await run).toMatchObject({ outcome: 'failure', attempts: 3 });
    expect(fn.executions).toBe(5);
    expect(inner.snapshot()).toMatchObject({ retries: 2, suppressed: { nested: 2 } });
  });

  test('retries where the outer one does not, and where it is told to', async () => {
    const { keelson, clock } = setUp();
    const outer = keelson.guard('outer', { timeout: { total: '1h' } });
    const inner = keelson.guard('inner', { retry: { retries: 1, delay: 0 } });
    const plain = outer.outcome('sell', () => inner.run('charge', failing(1)));
    await clock.advance(0);
    expect(await plain).toMatchObject({ outcome: 'success' });
    const retrying = keelson.guard('retrying', { retry: { retries: 1, delay: 0 } });
    const nested = keelson.guard('nested', { retry: { retries: 1, delay: 0, nested: true } });
    const told = retrying.outcome('sell', () => nested.run('charge', failing(1)));
    await clock.advance(0);
    expect(await told).toMatchObject({ outcome: 'success', attempts: 1 });
  });

  test('starts no retry that the outer deadline would end', async () => {
    const { keelson, clock } = setUp();
    const outer = keelson.guard('outer', { timeout: { total: '1500ms' } });
    const inner = keelson.guard('inner', { retry: { retries: 3, delay: '1s', jitter: 0 } });
    const fn = failing(99);
    const run = outer.outcome('sell', () => inner.run('charge', fn));
    await clock.advance(1_400);
    expect(await run).toMatchObject({ outcome: 'failure', durationMs: 1_000 });
    expect(fn.executions).toBe(2);
    expect(inner.snapshot().suppressed['deadline']).toBe(1);
  });

  test('ends with the outer one, signal and reason included, and is neutral for its breaker', async () => {
    const { keelson, clock } = setUp();
    const outer = keelson.guard('outer', { timeout: { attempt: '1s' } });
    const inner = keelson.guard('inner', { breaker: { failures: 1 } });
    let reason: unknown;
    const run = outer.outcome('sell', () =>
      inner.run('charge', ({ signal }) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason;
        });
        return new Promise(() => {});
      }),
    );
    await clock.advance(1_000);
    expect(await run).toMatchObject({ outcome: 'timeout' });
    expect(reason).toMatchObject({ code: 'ERR_KEELSON_TIMEOUT', source: { guard: 'outer' } });
    expect(inner.snapshot()).toMatchObject({
      calls: { cancelled: 1 },
      inFlight: 0,
      breaker: { state: 'closed' },
    });
  });

  test("hears of the caller's abort without being handed the signal", async () => {
    const { keelson } = setUp();
    const outer = keelson.guard('outer', {});
    const inner = keelson.guard('inner', {});
    const controller = new AbortController();
    const run = outer.outcome('sell', () => inner.run('charge', () => new Promise(() => {})), {
      signal: controller.signal,
    });
    controller.abort('left');
    expect(await run).toMatchObject({ outcome: 'cancelled', error: 'left' });
    expect(inner.snapshot().calls.cancelled).toBe(1);
  });

  test('sees through a guard in the middle that has no limits of its own', async () => {
    const { keelson, clock } = setUp();
    const outer = keelson.guard('outer', { timeout: { total: '1s' } });
    const middle = keelson.guard('middle', {});
    const inner = keelson.guard('inner', { retry: { delay: '5s', jitter: 0 } });
    const run = outer.outcome('sell', () => middle.run('pass', () => inner.run('charge', failing(9))));
    await clock.advance(0);
    expect(await run).toMatchObject({ outcome: 'failure', durationMs: 0 });
    expect(inner.snapshot().suppressed['deadline']).toBe(1);
  });
});

describe('a timer that fires late', () => {
  test('tells of the event loop, and is neutral for the breaker', async () => {
    const { keelson, clock } = setUp();
    const guard = keelson.guard('payments', { timeout: { attempt: '100ms' }, breaker: { failures: 1 } });
    const run = guard.outcome('charge', () => new Promise(() => {}));
    clock.block(400);
    await clock.advance(5);
    expect(await run).toMatchObject({
      outcome: 'timeout',
      error: { code: 'ERR_KEELSON_EVENT_LOOP_DELAY', lateByMs: 300, scope: 'attempt' },
    });
    expect(guard.breaker?.state).toBe('closed');
  });
});
