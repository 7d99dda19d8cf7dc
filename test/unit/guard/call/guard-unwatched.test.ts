import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { requestIdOf } from '../../../../src/core/errors.ts';
import type { GuardEvent } from '../../../../src/core/events.ts';
import type { CallContext, Guard, GuardOptions } from '../../../../src/guard/index.ts';
import { createKeelson } from '../../../../src/guard/index.ts';
import { FakeClock } from '../../../../src/testing/index.ts';
import { deferred } from '../../../support/deferred.ts';

const BREAKER = { failures: 2, successes: 1, openFor: '10s' } as const;

/** Chance always answers the same: request ids, which only a watched call makes, would shift it otherwise. */
function setUp(options: GuardOptions = { breaker: BREAKER }): { guard: Guard; clock: FakeClock } {
  const clock = new FakeClock();
  return { clock, guard: createKeelson({ clock, random: () => 0.4 }).guard('payments', options) };
}

describe('a guard with a breaker alone, which nobody watches', () => {
  const options = fc.constantFrom<GuardOptions>(
    {},
    { breaker: BREAKER },
    { breaker: { ...BREAKER, mode: 'shadow' } },
    { breaker: { ...BREAKER, ramp: '5s', openJitter: 0.5 } },
    { breaker: { failureRate: 0.5, minimumCalls: 2, window: '3s', openFor: '2s', successes: 2 } },
    { breaker: { ...BREAKER, failureIf: (error) => error !== 'harmless' } },
  );
  const step = fc.record({
    ending: fc.constantFrom('value', 'plain', 'error', 'harmless', 'thrown'),
    afterMs: fc.integer({ min: 0, max: 6_000 }),
  });

  async function resultOf(guard: Guard, ending: string): Promise<unknown> {
    const fn = (): Promise<string> | string => {
      if (ending === 'thrown') throw new Error('thrown');
      if (ending === 'plain') return ending;
      return ending === 'value' ? Promise.resolve(ending) : Promise.reject(ending);
    };
    try {
      return await guard.run('charge', fn);
    } catch (error) {
      return error;
    }
  }

  test('gives, counts and refuses what it does while somebody listens', async () => {
    await fc.assert(
      fc.asyncProperty(options, fc.array(step, { maxLength: 30 }), async (given, steps) => {
        const unwatched = setUp(given);
        const watched = setUp(given);
        watched.guard.on(() => {});
        for (const { ending, afterMs } of steps) {
          expect(await resultOf(unwatched.guard, ending)).toEqual(await resultOf(watched.guard, ending));
          expect(unwatched.guard.snapshot()).toEqual(watched.guard.snapshot());
          await unwatched.clock.advance(afterMs);
          await watched.clock.advance(afterMs);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('gives the function a context: first attempt, a signal that stays quiet, one request id', async () => {
    const { guard } = setUp();
    let given: CallContext | undefined;
    await guard.run('charge', async (context) => {
      given = context;
      expect(context.signal).toBe(context.signal);
    });
    expect(given?.attempt).toBe(0);
    expect(given?.signal.aborted).toBe(false);
    expect(given?.requestId).toMatch(/^req_\d{8}_\d{6}_[0-9a-f]{15}$/);
    expect(given?.requestId).toBe(given?.requestId);
  });

  test('keeps the request id of the caller, and makes one in place of what is none', async () => {
    const { guard } = setUp();
    const idFor = (requestId: string): Promise<string> =>
      guard.run('charge', async (context) => context.requestId, { requestId });
    await expect(idFor('order-7')).resolves.toBe('order-7');
    await expect(idFor('two words')).resolves.toMatch(/^req_/);
  });

  test('notes the request id of an error', async () => {
    const { guard } = setUp();
    const error = new Error('no');
    await expect(guard.run('charge', () => Promise.reject(error), { requestId: 'order-7' })).rejects.toBe(
      error,
    );
    expect(requestIdOf(error)).toBe('order-7');
  });

  test('takes a thenable that breaks when it is looked at as a failure', async () => {
    const { guard } = setUp();
    const broken = {
      get then(): never {
        throw new RangeError('broken');
      },
    };
    await expect(guard.run('charge', () => broken)).rejects.toThrow('broken');
    expect(guard.snapshot()).toMatchObject({ calls: { failure: 1 }, inFlight: 0 });
  });

  test('shows the caller in the stack of an error that is thrown later', async () => {
    const { guard } = setUp();
    async function theCaller(): Promise<void> {
      await guard.run('charge', async () => {
        await Promise.resolve();
        throw new Error('later');
      });
    }
    const error: unknown = await theCaller().catch((thrown: unknown) => thrown);
    expect((error as Error).stack).toContain('theCaller');
  });

  test('tells a listener that came meanwhile how a call ended, but not how long it took', async () => {
    const { guard } = setUp();
    const work = deferred<string>();
    const run = guard.run('charge', () => work.promise);
    expect(guard.snapshot().inFlight).toBe(1);
    const events: GuardEvent[] = [];
    guard.on((event) => events.push(event));
    work.resolve('done');
    await expect(run).resolves.toBe('done');
    expect(events).toMatchObject([
      { type: 'call.settled', operation: 'charge', outcome: 'success', origin: 'live', attempts: 1 },
    ]);
    expect(events[0]).toHaveProperty('durationMs', Number.NaN);
    expect(guard.snapshot()).toMatchObject({ inFlight: 0, calls: { success: 1 } });
  });

  test('tells the whole duration of the calls after that', async () => {
    const { guard, clock } = setUp();
    const durations: number[] = [];
    guard.on((event) => event.type === 'call.settled' && durations.push(event.durationMs));
    await guard.run('charge', () => clock.advance(30));
    expect(durations).toEqual([30]);
  });

  test('ends with the guard around it', async () => {
    const keelson = createKeelson({ clock: new FakeClock() });
    const inner = keelson.guard('inner', { breaker: BREAKER });
    const outer = keelson.guard('outer', { breaker: BREAKER });
    const caller = new AbortController();
    const run = outer.run(
      'order',
      () =>
        inner.run('charge', ({ signal }) => {
          caller.abort(new Error('the caller has gone'));
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        }),
      { signal: caller.signal },
    );
    await expect(run).rejects.toThrow('the caller has gone');
    expect(inner.snapshot()).toMatchObject({ calls: { cancelled: 1 }, breaker: { state: 'closed' } });
  });

  test('changes nothing when a call ends after the circuit has been reset', async () => {
    const { guard } = setUp({ breaker: { failures: 1 } });
    const work = deferred<string>();
    const run = guard.run('charge', () => work.promise);
    guard.breaker?.reset();
    work.reject(new Error('from before'));
    await expect(run).rejects.toThrow('from before');
    expect(guard.breaker?.state).toBe('closed');
  });
});
