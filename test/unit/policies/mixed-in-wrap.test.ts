import { AsyncLocalStorage } from 'node:async_hooks';
import * as cockatiel from 'cockatiel';
import * as cockatiel3 from 'cockatiel3';
import { describe, expect, test } from 'vitest';
import { breaker, bulkhead, cache, retry, timeout } from '../../../src/index.ts';
import { FakeClock, settlePromises } from '../../../src/testing/index.ts';
import { deferred } from '../../support/deferred.ts';
import { failing } from '../../support/failing.ts';

interface AnyPolicy extends Pick<cockatiel.IPolicy, 'onSuccess' | 'onFailure'> {
  execute<T>(fn: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** Versions 3 and 4 with the types of 4: what is used of them is the same. */
const VERSIONS: readonly (readonly [string, typeof cockatiel])[] = [
  ['cockatiel 4', cockatiel],
  ['cockatiel 3', cockatiel3 as never],
];

describe.each(VERSIONS)('around the refusals of %s', (_version, library) => {
  function openCircuit(): cockatiel.CircuitBreakerPolicy {
    return library.circuitBreaker(library.handleAll, {
      breaker: new library.ConsecutiveBreaker(1),
      halfOpenAfter: 60_000,
    });
  }

  function isolated(): cockatiel.IPolicy {
    const policy = openCircuit();
    policy.isolate();
    return policy;
  }

  const refusing: readonly (readonly [string, () => cockatiel.IPolicy, RegExp])[] = [
    ['a full bulkhead', () => library.bulkhead(0), /Bulkhead capacity exceeded/],
    ['an isolated circuit', isolated, /circuit breaker is open/],
  ];

  test.each(refusing)('our retry does not repeat the refusal of %s', async (_name, make, message) => {
    const retries: unknown[] = [];
    const ours = retry({ retries: 5, delay: 0, retryIf: () => true });
    ours.onRetry((event) => retries.push(event));
    const fn = failing(0);
    await expect(ours.execute(() => make().execute(fn))).rejects.toThrow(message);
    expect([fn.executions, retries]).toEqual([0, []]);
  });

  test('our retry repeats what the function threw until the circuit opens, and then stops', async () => {
    const policy = cockatiel.wrap(retry({ retries: 5, delay: 0 }), openCircuit());
    const fn = failing(9);
    await expect(policy.execute(fn)).rejects.toSatisfy(library.isBrokenCircuitError);
    expect(fn.executions).toBe(1);
  });

  test.each(refusing)('our breaker takes the refusal of %s as neutral', async (_name, make, message) => {
    const ours = breaker({ failures: 1 });
    await expect(ours.execute(() => make().execute(failing(0)))).rejects.toThrow(message);
    expect(ours.breaker.state).toBe('closed');
    await expect(ours.execute(failing(1))).rejects.toThrow('no');
    expect(ours.breaker.state).toBe('open');
  });

  test.each(refusing)('our cache does not remember the refusal of %s', async (_name, make, message) => {
    const ours = cache({ ttl: '1m', negativeTtl: '1m', key: () => 'key' });
    await expect(ours.execute(() => make().execute(failing(0)))).rejects.toThrow(message);
    await expect(ours.execute(async () => 'answer')).resolves.toBe('answer');
  });
});

describe("our policies in cockatiel's wrap", () => {
  test('leave a circuit closed when the event loop, not the dependency, made a call late', async () => {
    const clock = new FakeClock();
    const circuit = breaker({ failures: 1 }, { clock });
    const policy = cockatiel.wrap(circuit, timeout('1s', { clock }));
    const hang = (): Promise<never> => new Promise(() => {});
    const late = expect(policy.execute(hang)).rejects.toMatchObject({ lateByMs: 500 });
    await settlePromises();
    clock.block(1_500);
    await clock.advance(0);
    await late;
    expect(circuit.breaker.state).toBe('closed');
    const slow = expect(policy.execute(hang)).rejects.toMatchObject({ lateByMs: 0 });
    await clock.advance(1_000);
    await slow;
    expect(circuit.breaker.state).toBe('open');
  });

  test('work around and inside those of cockatiel', async () => {
    const clock = new FakeClock();
    const policy = cockatiel.wrap(
      retry({ retries: 2, delay: 0 }, { clock }),
      cockatiel.circuitBreaker(cockatiel.handleAll, {
        breaker: new cockatiel.ConsecutiveBreaker(5),
        halfOpenAfter: 1_000,
      }),
      bulkhead({ concurrent: 1 }, { clock }),
      timeout('1s', { clock }),
      breaker({ failures: 9 }, { clock }),
    );
    const attempts: number[] = [];
    const run = policy.execute(async ({ attempt, signal }) => {
      attempts.push(attempt);
      expect(signal.aborted).toBe(false);
      if (attempt < 2) throw new Error('again');
      return 'ok';
    });
    await clock.advance(10);
    await expect(run).resolves.toBe('ok');
    expect(attempts).toEqual([0, 1, 2]);
  });

  test("pass the caller's signal through, with its reason", async () => {
    const policy = cockatiel.wrap(retry({ retries: 3 }), timeout('1m'), bulkhead({ concurrent: 1 }));
    const controller = new AbortController();
    let seen: unknown;
    const run = policy.execute(({ signal }) => {
      signal.addEventListener('abort', () => {
        seen = signal.reason;
      });
      return new Promise(() => {});
    }, controller.signal);
    const reason = new Error('left');
    controller.abort(reason);
    await expect(run).rejects.toBe(reason);
    expect(seen).toBe(reason);
  });

  test.each<[string, AnyPolicy]>([
    ['retry', retry()],
    ['breaker', breaker()],
    ['bulkhead', bulkhead()],
    ['timeout', timeout('1s')],
  ])('call nothing for a signal that is aborted already: %s', async (_name, policy) => {
    const fn = failing(0);
    await expect(policy.execute(fn, AbortSignal.abort('too late'))).rejects.toBe('too late');
    expect(fn.executions).toBe(0);
  });

  test.each<[string, AnyPolicy]>([
    ['retry', retry({ retries: 0 })],
    ['breaker', breaker()],
    ['bulkhead', bulkhead()],
    ['timeout', timeout('1s')],
  ])('tell of successes and failures, and survive listeners that throw: %s', async (_name, policy) => {
    const heard: unknown[] = [];
    policy.onSuccess(() => {
      throw new Error('a listener that throws');
    });
    policy.onSuccess(({ duration }) => heard.push(['success', duration >= 0]));
    const stop = policy.onFailure(({ reason }) => heard.push(reason));
    const error = new Error('no');
    await expect(policy.execute(failing(0))).resolves.toBe('ok');
    await expect(policy.execute(failing(1, error))).rejects.toBe(error);
    stop.dispose();
    await expect(policy.execute(failing(1, error))).rejects.toBe(error);
    expect(heard).toEqual([['success', true], { error }]);
  });
});

describe('our retry as a policy', () => {
  test('ends its wait at an abort and does not call again', async () => {
    const clock = new FakeClock();
    const policy = retry({ delay: '300ms', jitter: 0 }, { clock });
    const delays: number[] = [];
    policy.onRetry(({ delayMs }) => delays.push(delayMs));
    const controller = new AbortController();
    const fn = failing(9);
    const run = policy.execute(fn, controller.signal);
    await clock.advance(20);
    controller.abort('left');
    await expect(run).rejects.toBe('left');
    await clock.advance(1_000);
    expect(fn.executions).toBe(1);
    expect(delays).toEqual([300]);
  });

  test('makes exactly n + 1 executions', async () => {
    const clock = new FakeClock();
    const fn = failing(9);
    const settled = expect(retry({ retries: 3 }, { clock }).execute(fn)).rejects.toThrow('no');
    await clock.advance(60_000);
    await settled;
    expect(fn.executions).toBe(4);
  });
});

describe('our breaker as a policy', () => {
  test('tells of its transitions', async () => {
    const policy = breaker({ failures: 1 });
    const heard: string[] = [];
    policy.onTransition(({ from, to }) => heard.push(`${from} -> ${to}`));
    await expect(policy.execute(failing(1))).rejects.toThrow('no');
    await expect(policy.execute(failing(0))).rejects.toMatchObject({ code: 'ERR_KEELSON_BREAKER_OPEN' });
    policy.breaker.reset();
    expect(heard).toEqual(['closed -> open', 'open -> closed']);
  });

  test('does not count what failureIf leaves out', async () => {
    const policy = breaker({ failures: 1, failureIf: (error) => error instanceof TypeError });
    await expect(policy.execute(failing(1))).rejects.toThrow('no');
    expect(policy.breaker.state).toBe('closed');
    await expect(policy.execute(failing(1, new TypeError('bad')))).rejects.toThrow('bad');
    expect(policy.breaker.state).toBe('open');
  });
});

describe('our bulkhead as a policy', () => {
  test('keeps the async context of a queued caller, and its free places', async () => {
    const policy = bulkhead({ concurrent: 1, queue: 2 });
    const storage = new AsyncLocalStorage<string>();
    const gate = deferred<undefined>();
    const seen: string[] = [];
    const run = (caller: string): Promise<void> =>
      storage.run(caller, () =>
        policy.execute(async () => {
          await gate.promise;
          seen.push(`${caller}${storage.getStore()}`);
        }),
      );
    const runs = ['A', 'B', 'C'].map(run);
    expect([policy.executionSlots, policy.queueSlots]).toEqual([0, 0]);
    await expect(run('D')).rejects.toMatchObject({ code: 'ERR_KEELSON_BULKHEAD_FULL' });
    gate.resolve(undefined);
    await Promise.all(runs);
    expect(seen).toEqual(['AA', 'BB', 'CC']);
    expect([policy.executionSlots, policy.queueSlots]).toEqual([1, 2]);
  });

  test('lets a queued caller go at once', async () => {
    const policy = bulkhead({ concurrent: 1, queue: 1 });
    const gate = deferred<string>();
    const running = policy.execute(() => gate.promise);
    const controller = new AbortController();
    const queued = policy.execute(failing(0), controller.signal);
    controller.abort('left');
    await expect(queued).rejects.toBe('left');
    expect(policy.queueSlots).toBe(1);
    gate.resolve('done');
    await expect(running).resolves.toBe('done');
  });
});

describe('our timeout as a policy', () => {
  test('answers when the time is over and counts the function that still runs', async () => {
    const clock = new FakeClock();
    const policy = timeout('100ms', { clock });
    const zombie = deferred<string>();
    const run = policy.execute(() => zombie.promise);
    const settled = expect(run).rejects.toMatchObject({ code: 'ERR_KEELSON_TIMEOUT', timeoutMs: 100 });
    await clock.advance(100);
    await settled;
    expect(policy.abandoned).toBe(1);
    zombie.resolve('late');
    await clock.advance(0);
    expect(policy.abandoned).toBe(0);
  });
});

test.each([
  ['retry', () => retry({ retries: -1 })],
  ['breaker', () => breaker({ failures: 0 })],
  ['bulkhead', () => bulkhead({ concurrent: 0 })],
  ['timeout', () => timeout('0ms')],
])('a policy refuses options that cannot be used: %s', (name, make) => {
  expect(make).toThrow(new RegExp(`^${name}: Expected `));
});
