import { describe, expect, test } from 'vitest';
import type { Guard, GuardOptions, Keelson } from '../../../src/guard/index.ts';
import { createKeelson, detached } from '../../../src/guard/index.ts';
import { FakeClock, settlePromises } from '../../../src/testing/index.ts';
import { deferred } from '../../support/deferred.ts';

function setUp(options: GuardOptions): { guard: Guard; keelson: Keelson; clock: FakeClock } {
  const clock = new FakeClock();
  const keelson = createKeelson({ clock, warn: () => {} });
  return { clock, keelson, guard: keelson.guard('db', options) };
}

const one = { bulkhead: { concurrent: 1, queue: 5 } } as const;

describe('a guard that is called within its own function', () => {
  test('rejects the inner call at once if every slot waits for it', async () => {
    const { guard } = setUp(one);
    const outer = guard.outcome('outer', () => guard.run('inner', async () => 'never'));
    expect(await outer).toMatchObject({
      outcome: 'failure',
      error: {
        code: 'ERR_KEELSON_REENTRANT',
        reason: 'reentrant',
        source: { guard: 'db', policy: 'bulkhead' },
      },
    });
    expect(guard.snapshot()).toMatchObject({
      rejections: { 'bulkhead/reentrant': 1 },
      bulkhead: { active: 0, queued: 0 },
      inFlight: 0,
    });
  });

  test('rejects it through other guards, methods and a call that does not inherit, too', async () => {
    const { guard, keelson } = setUp(one);
    const middle = keelson.guard('middle', { retry: { retries: 2 } });
    const inner = (): Promise<unknown> => guard.run('inner', async () => 'never', { inherit: false });
    const outer = guard.outcome('outer', () => middle.run('pass', inner));
    expect(await outer).toMatchObject({ error: { code: 'ERR_KEELSON_REENTRANT' } });
  });

  test('lets the inner call wait while another call will give its slot back', async () => {
    const { guard } = setUp({ bulkhead: { concurrent: 2, queue: 5 } });
    const busy = deferred<void>();
    const other = guard.outcome('other', () => busy.promise);
    const outer = guard.outcome('outer', () => guard.run('inner', async () => 'in the end'));
    await settlePromises();
    expect(guard.snapshot().bulkhead).toMatchObject({ active: 2, queued: 1 });
    busy.resolve();
    expect(await outer).toMatchObject({ outcome: 'success', value: 'in the end' });
    expect((await other).outcome).toBe('success');
  });

  test('rejects the inner call that would make the wait endless, and the one before it goes on', async () => {
    const { guard } = setUp({ bulkhead: { concurrent: 2, queue: 5 } });
    const nest = (): ReturnType<typeof guard.outcome> =>
      guard.outcome('outer', async () => {
        await settlePromises();
        return guard.run('inner', async () => 'in the end');
      });
    const outcomes = await Promise.all([nest(), nest()]);
    expect(outcomes.map(({ outcome }) => outcome).toSorted()).toEqual(['failure', 'success']);
    expect(guard.snapshot().rejections['bulkhead/reentrant']).toBe(1);
  });

  test('forgets a wait that is over: the next one is judged by itself', async () => {
    const { guard, clock } = setUp({ bulkhead: { concurrent: 2, queue: 5, queueTimeout: '1s' } });
    const busy = deferred<void>();
    const other = guard.outcome('other', () => busy.promise);
    const tries: string[] = [];
    const outer = guard.outcome('outer', async () => {
      for (let times = 0; times < 3; times += 1) {
        const { error } = await guard.outcome('inner', async () => 'late');
        tries.push(String(Reflect.get(error as object, 'reason')));
      }
    });
    await clock.advance(3_000);
    await outer;
    expect(tries).toEqual(['queue_timeout', 'queue_timeout', 'queue_timeout']);
    busy.resolve();
    expect((await other).outcome).toBe('success');
  });

  test('lets detached work wait for the slot of the call that starts it', async () => {
    const { guard } = setUp(one);
    let later: Promise<string> | undefined;
    await guard.run('outer', async () => {
      later = detached(() => guard.run('later', async () => 'afterwards'));
    });
    expect(await later).toBe('afterwards');
  });

  test('refuses the inner call as every other one if nobody may wait', async () => {
    const { guard } = setUp({ bulkhead: { concurrent: 1 } });
    const outer = guard.outcome('outer', () => guard.run('inner', async () => 'never'));
    expect(await outer).toMatchObject({ error: { code: 'ERR_KEELSON_BULKHEAD_FULL' } });
  });
});
