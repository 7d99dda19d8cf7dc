import { AsyncLocalStorage } from 'node:async_hooks';
import * as cockatiel from 'cockatiel';
import { describe, expect, test } from 'vitest';
import { bulkhead } from '../../src/policies/bulkhead/index.ts';
import { FakeClock, settlePromises } from '../../src/testing/index.ts';
import { deferred } from '../support/deferred.ts';
import { failing } from '../support/failing.ts';
import { guardOnFakeClock, rejectionOf, watched } from './scenario.ts';

type Run = (fn: () => Promise<void>) => Promise<unknown>;

/** Three callers share one slot. @returns which caller's context each function saw */
async function contextsOf(run: Run): Promise<[string, string | undefined][]> {
  const storage = new AsyncLocalStorage<string>();
  const seen: [string, string | undefined][] = [];
  const calls = ['A', 'B', 'C'].map((caller) =>
    storage.run(caller, () =>
      run(async () => {
        seen.push([caller, storage.getStore()]);
        await settlePromises();
      }),
    ),
  );
  await Promise.all(calls);
  return seen;
}

describe('the bulkhead', () => {
  test('D1 a call from the queue runs in the async context of its own caller', async () => {
    const theirs = cockatiel.bulkhead(1, 10);
    expect(await contextsOf((fn) => theirs.execute(fn))).toEqual([
      ['A', 'A'],
      ['B', 'A'],
      ['C', 'A'],
    ]);

    const kept = ['A', 'B', 'C'].map((caller) => [caller, caller]);
    const ours = bulkhead({ concurrent: 1, queue: 10 });
    expect(await contextsOf((fn) => ours.execute(fn))).toEqual(kept);
    const { guard } = guardOnFakeClock({ bulkhead: { concurrent: 1, queue: 10 } });
    expect(await contextsOf((fn) => guard.run('charge', fn))).toEqual(kept);
  });

  test('D2 successes and failures of a bulkhead are told, alone and outermost in a wrap', async () => {
    async function told(policy: cockatiel.IPolicy): Promise<{ successes: number; failures: number }> {
      const heard = { successes: 0, failures: 0 };
      policy.onSuccess(() => (heard.successes += 1));
      policy.onFailure(() => (heard.failures += 1));
      await policy.execute(failing(0));
      await rejectionOf(policy.execute(failing(1)));
      return heard;
    }
    expect(await told(cockatiel.bulkhead(1))).toEqual({ successes: 0, failures: 0 });
    expect(await told(cockatiel.wrap(cockatiel.bulkhead(1), cockatiel.noop))).toEqual({
      successes: 0,
      failures: 0,
    });

    const clock = new FakeClock();
    const ours = (): cockatiel.IPolicy => bulkhead({ concurrent: 1 }, { clock });
    expect(await told(ours())).toEqual({ successes: 1, failures: 1 });
    expect(await told(cockatiel.wrap(ours(), cockatiel.noop))).toEqual({ successes: 1, failures: 1 });
    const { guard } = guardOnFakeClock({ bulkhead: { concurrent: 1 } });
    const outcomes: string[] = [];
    guard.on((event) => event.type === 'call.settled' && outcomes.push(event.outcome));
    await guard.run('charge', failing(0));
    await rejectionOf(guard.run('charge', failing(1)));
    expect(outcomes).toEqual(['success', 'failure']);
  });

  test('D12 an abort takes a call out of the queue at once, and frees its place', async () => {
    const theirs = cockatiel.bulkhead(1, 1);
    const theirGate = deferred<void>();
    const running = theirs.execute(() => theirGate.promise);
    const left = new AbortController();
    const theirQueued = theirs.execute(failing(0), left.signal);
    const watch = watched(theirQueued);
    left.abort(new Error('left'));
    await settlePromises();
    expect(watch.settled).toBe(false);
    expect(await rejectionOf(theirs.execute(failing(0)))).toSatisfy(cockatiel.isBulkheadRejectedError);
    theirGate.resolve();
    await running;
    expect(await rejectionOf(theirQueued)).toSatisfy(cockatiel.isTaskCancelledError);

    const ours = bulkhead({ concurrent: 1, queue: 1 });
    const { guard } = guardOnFakeClock({ bulkhead: { concurrent: 1, queue: 1 } });
    const runs: ((fn: () => Promise<unknown>, signal?: AbortSignal) => Promise<unknown>)[] = [
      (fn, signal) => ours.execute(fn, signal),
      (fn, signal) => guard.run('charge', fn, { signal }),
    ];
    for (const run of runs) {
      const gate = deferred<void>();
      const first = run(() => gate.promise);
      const reason = new Error('left');
      const controller = new AbortController();
      const queued = run(failing(0), controller.signal);
      controller.abort(reason);
      expect(await rejectionOf(queued)).toBe(reason);
      const next = run(failing(0));
      gate.resolve();
      await first;
      expect(await next).toBe('ok');
    }
  });
});
