import { describe, expect, test } from 'vitest';
import { RemoteGate } from '../../../src/storage/index.ts';
import { FakeClock, settlePromises } from '../../../src/testing/index.ts';
import { deferred } from '../../support/deferred.ts';

const DOWN = new Error('ECONNREFUSED');
const LATE = new Error('late');

function setUp(): { gate: RemoteGate; clock: FakeClock; heard: string[] } {
  const clock = new FakeClock();
  const heard: string[] = [];
  const gate = new RemoteGate({
    timeoutMs: 50,
    clock,
    late: () => LATE,
    listener: {
      failed: (error) => heard.push(`failed: ${String(error)}`),
      answered: () => heard.push('answered'),
    },
  });
  return { gate, clock, heard };
}

describe('a store that answers', () => {
  test('is not left alone, and leaves no timer running', async () => {
    const { gate, clock, heard } = setUp();
    expect(await gate.ask(async () => 'yes')).toBe('yes');
    expect([gate.failures, gate.restLeftMs(clock.now()), clock.timers.refed]).toEqual([0, 0, 0]);
    expect(heard).toEqual(['answered']);
  });
});

describe('a store that fails', () => {
  test('is counted, reported with its error, and left alone for a second', async () => {
    const { gate, clock, heard } = setUp();
    await expect(gate.ask(() => Promise.reject(DOWN))).rejects.toBe(DOWN);
    expect([gate.failures, gate.lastError, heard]).toEqual([1, DOWN, ['failed: Error: ECONNREFUSED']]);
    expect(gate.restLeftMs(0)).toBe(1_000);
    expect(gate.restLeftMs(999)).toBe(1);
    expect(gate.restLeftMs(1_000)).toBe(0);
    expect(clock.timers.refed).toBe(0);
  });

  test('is the same to its caller when it throws in place of rejecting', async () => {
    const { gate } = setUp();
    const broken = gate.ask(() => {
      throw DOWN;
    });
    await expect(broken).rejects.toBe(DOWN);
    expect(gate.failures).toBe(1);
  });

  test('is not left alone any longer because the clock went back', async () => {
    const { gate, clock } = setUp();
    await clock.advance(3_600_000);
    await expect(gate.ask(() => Promise.reject(DOWN))).rejects.toBe(DOWN);
    expect(gate.restLeftMs(3_600_000)).toBe(1_000);
    expect(gate.restLeftMs(0)).toBe(0);
  });

  test('begins its rest anew with each failure', async () => {
    const { gate, clock } = setUp();
    await expect(gate.ask(() => Promise.reject(DOWN))).rejects.toBe(DOWN);
    await clock.advance(600);
    await expect(gate.ask(() => Promise.reject(DOWN))).rejects.toBe(DOWN);
    expect(gate.restLeftMs(1_000)).toBe(600);
  });
});

describe('a store that hangs', () => {
  test('costs its timeout, aborts the question, and is counted as abandoned until it settles', async () => {
    const { gate, clock, heard } = setUp();
    const answer = deferred<string>();
    const reasons: unknown[] = [];
    const asked = gate.ask(({ signal }) => {
      signal.addEventListener('abort', () => reasons.push(signal.reason));
      return answer.promise;
    });
    const late = expect(asked).rejects.toBe(LATE);
    await clock.advance(49);
    expect([gate.failures, gate.abandoned]).toEqual([0, 0]);
    await clock.advance(1);
    await late;
    expect([gate.failures, gate.abandoned, reasons]).toEqual([1, 1, [LATE]]);
    answer.resolve('too late');
    await settlePromises();
    expect([gate.abandoned, heard]).toEqual([0, ['failed: Error: late']]);
  });
});

test('a listener that throws changes no answer', async () => {
  const rude = (): never => {
    throw new Error('rude');
  };
  const clock = new FakeClock();
  const listener = { failed: rude, answered: rude };
  const gate = new RemoteGate({ timeoutMs: 50, clock, late: () => LATE, listener });
  expect(await gate.ask(async () => 'yes')).toBe('yes');
  await expect(gate.ask(() => Promise.reject(DOWN))).rejects.toBe(DOWN);
  expect(gate.failures).toBe(1);
});
