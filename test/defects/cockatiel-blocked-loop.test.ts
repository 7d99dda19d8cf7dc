import * as cockatiel from 'cockatiel';
import { expect, test } from 'vitest';
import { createKeelson } from '../../src/guard/index.ts';
import { breaker } from '../../src/policies/breaker/index.ts';
import { timeout } from '../../src/policies/timeout/index.ts';
import { settlePromises } from '../../src/testing/index.ts';
import { deferred } from '../support/deferred.ts';
import { startBlockedLoopServer } from './blocked-loop-server.ts';

/** Long enough for a request to reach the server on a busy machine. */
const TIMEOUT_MS = 300;

type Run = (fn: (context: { signal: AbortSignal }) => Promise<string>) => Promise<string>;

/** Five calls to a healthy dependency, each while the event loop is blocked for longer than the timeout. */
async function callsWhileBlocked(run: Run): Promise<string[]> {
  await using server = await startBlockedLoopServer();
  await (await fetch(server.url(0))).text();
  const results: string[] = [];
  for (let call = 1; call <= 5; call += 1) {
    const asked = deferred<boolean>();
    const settled = run(async ({ signal }) => {
      asked.resolve(true);
      return (await fetch(server.url(call), { signal })).text();
    }).then(
      () => 'ok',
      (error: Error) => error.constructor.name,
    );
    if (await Promise.race([asked.promise, settled.then(() => false)]))
      await server.blockWhileItAnswers(call, TIMEOUT_MS + 50);
    results.push(await settled);
    await settlePromises();
  }
  return results;
}

test('D16 a blocked event loop neither times a healthy dependency out nor opens its circuit', async () => {
  const theirs = cockatiel.wrap(
    cockatiel.circuitBreaker(cockatiel.handleAll, {
      halfOpenAfter: 60_000,
      breaker: new cockatiel.ConsecutiveBreaker(3),
    }),
    cockatiel.timeout(TIMEOUT_MS, { strategy: cockatiel.TimeoutStrategy.Aggressive, abortOnReturn: false }),
  );
  expect(await callsWhileBlocked((fn) => theirs.execute(fn))).toEqual([
    ...Array<string>(3).fill('TaskCancelledError'),
    ...Array<string>(2).fill('BrokenCircuitError'),
  ]);

  const guard = createKeelson().guard('payments', {
    breaker: { failures: 3, openFor: '1m' },
    timeout: { attempt: `${TIMEOUT_MS}ms` },
  });
  expect(await callsWhileBlocked((fn) => guard.run('charge', fn))).toEqual(Array(5).fill('ok'));
  expect(guard.breaker?.state).toBe('closed');

  const circuit = breaker({ failures: 3, openFor: '1m' });
  const alone = cockatiel.wrap(circuit, timeout(`${TIMEOUT_MS}ms`));
  expect(await callsWhileBlocked((fn) => alone.execute(fn))).toEqual(Array(5).fill('ok'));
  expect(circuit.breaker.state).toBe('closed');
});
