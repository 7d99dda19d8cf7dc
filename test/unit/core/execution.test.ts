import { describe, expect, test } from 'vitest';
import { Listeners } from '../../../src/core/events.ts';
import { Execution, isThenable } from '../../../src/core/execution.ts';
import { Wait } from '../../../src/core/time/wait.ts';
import { FakeClock, settlePromises } from '../../../src/testing/index.ts';
import { deferred } from '../../support/deferred.ts';

describe('an execution that is interrupted', () => {
  test('tells its signal and its listeners, answers at once, and counts the function until it ends', async () => {
    const counter = { abandoned: 0 };
    const execution = new Execution<string>(counter);
    const gate = deferred<string>();
    const told: unknown[] = [];
    execution.onInterrupt((error) => told.push(error));
    execution.onInterrupt(() => told.push('removed'))();
    const { signal } = execution;
    const caught = expect(execution.start(() => gate.promise, undefined)).rejects.toBe('over');
    execution.interrupt('over');
    execution.interrupt('again');
    await caught;
    expect([told, signal.aborted, signal.reason, execution.interrupted]).toEqual([
      ['over'],
      true,
      'over',
      true,
    ]);
    expect(counter.abandoned).toBe(1);
    gate.resolve('late');
    await settlePromises();
    expect(counter.abandoned).toBe(0);
  });

  test('gives an aborted signal to a function that asks late', async () => {
    const execution = new Execution<string>({ abandoned: 0 });
    const caught = expect(execution.start(() => new Promise(() => {}), undefined)).rejects.toBe('over');
    expect(execution.isSignalTaken).toBe(false);
    execution.interrupt('over');
    await caught;
    expect([execution.signal.aborted, execution.signal.reason, execution.isSignalTaken]).toEqual([
      true,
      'over',
      true,
    ]);
  });

  test('by its deadline gives the error that was made for it', async () => {
    const execution = new Execution<string>({ abandoned: 0 }, () => 'too late');
    const caught = expect(execution.start(() => new Promise(() => {}), undefined)).rejects.toBe('too late');
    execution.expire(0);
    await caught;
  });

  test('after it has ended changes nothing', async () => {
    const counter = { abandoned: 0 };
    const execution = new Execution<string>(counter);
    expect(await execution.start(async () => 'ok', undefined)).toBe('ok');
    execution.interrupt('over');
    expect([execution.interrupted, counter.abandoned]).toEqual([false, 0]);
    const failed = new Execution<string>(counter);
    await expect(failed.start(() => Promise.reject(new Error('no')), undefined)).rejects.toThrow('no');
  });
});

test.each([
  [Promise.resolve(), true],
  [{ then: (): void => {} }, true],
  [Object.assign((): void => {}, { then: (): void => {} }), true],
  [{ then: 1 }, false],
  [{}, false],
  [(): void => {}, false],
  [null, false],
  [undefined, false],
  ['then', false],
])('%o has to be awaited: %s', (value, answer) => {
  expect(isThenable<unknown>(value)).toBe(answer);
});

test('a wait that is interrupted leaves no timer, and throws the reason', async () => {
  const clock = new FakeClock();
  const wait = new Wait(clock, 1_000);
  const caught = expect(wait.granted).rejects.toBe('left');
  expect(clock.timers.running).toBe(1);
  wait.interrupt('left');
  expect(clock.timers.running).toBe(0);
  await caught;
});

test('listeners are told in their order, and one that throws or leaves does not keep the others from it', () => {
  const listeners = new Listeners<number>();
  const told: string[] = [];
  listeners.add(() => {
    throw new Error('a listener that throws');
  });
  const remove = listeners.add((event) => told.push(`a${event}`));
  listeners.add((event) => {
    told.push(`b${event}`);
    remove();
  });
  listeners.emit(1);
  listeners.emit(2);
  expect([told, listeners.size, listeners.failures]).toEqual([['a1', 'b1', 'b2'], 2, 2]);
});
