import { describe, expect, test } from 'vitest';
import { createKeelson } from '../../../src/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';

/** A dependency that never answers. */
const dead = (): Promise<never> => new Promise(() => {});

/** Calls that it takes to open a circuit of 5 failures, on an event loop that is busy in pieces of `pieceMs`. */
async function callsUntilOpen(pieceMs: number, timeoutMs: number): Promise<number> {
  const clock = new FakeClock();
  const guard = createKeelson({ clock, warn: () => {} }).guard('payments', {
    timeout: { attempt: timeoutMs },
    breaker: { failures: 5, openFor: '1m' },
  });
  let calls = 0;
  while (guard.breaker?.state !== 'open' && calls < 50) {
    calls += 1;
    let isOver = false;
    const run = guard.outcome('charge', dead).finally(() => (isOver = true));
    while (!isOver) {
      clock.block(pieceMs);
      await clock.advance(0);
    }
    await run;
  }
  return calls;
}

describe('with a dead dependency and an event loop that is busy in pieces', () => {
  test.each([
    [50, 250],
    [70, 250],
    [100, 250],
    [50, 1_000],
    [90, 1_000],
    [100, 10_000],
  ])(
    'of %d ms, the circuit opens at the fifth call that times out after %d ms, as with cockatiel',
    async (pieceMs, timeoutMs) => {
      expect(await callsUntilOpen(pieceMs, timeoutMs)).toBe(5);
    },
  );
});

test('one block that is longer than the timeout blames nobody, since no answer could be read', async () => {
  const clock = new FakeClock();
  const guard = createKeelson({ clock, warn: () => {} }).guard('payments', {
    timeout: { attempt: 1_000 },
    breaker: { failures: 1 },
  });
  const run = guard.outcome('charge', dead);
  clock.block(1_500);
  await clock.advance(0);
  expect(await run).toMatchObject({ error: { code: 'ERR_KEELSON_EVENT_LOOP_DELAY', lateByMs: 500 } });
  expect(guard.breaker?.state).toBe('closed');
});
