import http from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Guard, GuardOptions } from '../../../src/guard/index.ts';
import { createKeelson } from '../../../src/guard/index.ts';
import { notSent } from '../../../src/index.ts';
import { settlePromises } from '../../../src/testing/index.ts';
import type { CountingServer } from './payments-world.ts';
import { dead, fetchPost, pay, paymentServer } from './payments-world.ts';

let server: CountingServer;

beforeEach(async () => {
  server = await paymentServer();
});

afterEach(() => server.close());

const RETRIES = { retry: { retries: 2, delay: 0 } } as const;

function client(options: GuardOptions = RETRIES): Guard {
  return createKeelson().guard('http-client', options);
}

/** A payment that goes through, and whose answer is then called a failure. */
async function chargeAndFail(): Promise<never> {
  await fetchPost(server.url);
  throw new Error('the answer was 503');
}

describe('a guard inside a call with `idempotent: false`', () => {
  test.each<[string, GuardOptions]>([
    ['retries', RETRIES],
    ['has only a breaker', { breaker: {} }],
    ['makes no retry', { retry: { retries: 0 } }],
  ])('does not make the payment again, if the outer guard %s', async (_, options) => {
    const payments = createKeelson().guard('payments', options);
    const outcome = await payments.outcome('charge', () => client().run('post', chargeAndFail), {
      idempotent: false,
    });
    expect([server.count, outcome.outcome, outcome.attempts]).toEqual([1, 'failure', 1]);
  });

  test('does not make it again three guards deep', async () => {
    const middle = createKeelson().guard('middle', { bulkhead: {} });
    await pay(() =>
      client({ breaker: {} }).run('outer', () =>
        middle.run('inner', () => client().run('post', chargeAndFail)),
      ),
    );
    expect(server.count).toBe(1);
  });

  test('does not make it again after the call has timed out, while its function still runs', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const payments = createKeelson().guard('payments', { timeout: { attempt: 5 } });
    let late: Promise<unknown> = Promise.resolve();
    const outcome = await payments.outcome(
      'charge',
      () => {
        late = promise.then(() => client().run('post', chargeAndFail));
        return late;
      },
      { idempotent: false },
    );
    expect(outcome.outcome).toBe('timeout');
    resolve();
    await expect(late).rejects.toThrow('the answer was 503');
    expect(server.count).toBe(1);
  });

  test('retries if nothing was sent, and if its own call says that the work may be done twice', async () => {
    let asked = 0;
    await pay(() =>
      client().run('post', async () => {
        asked += 1;
        return fetchPost(dead);
      }),
    );
    expect(asked).toBe(3);
    await pay(() => client().run('log', chargeAndFail, { idempotent: true }));
    expect(server.count).toBe(3);
  });

  test('retries again once the function around it has settled', async () => {
    const run = await pay(async () => {
      const later = settlePromises().then(() => client().run('post', chargeAndFail));
      later.catch(() => {});
      return { later };
    });
    const { later } = run.value as { later: Promise<unknown> };
    await expect(later).rejects.toThrow('the answer was 503');
    expect(server.count).toBe(3);
  });
});

test('the mark of `notSent` holds for one throw, and not for the same error thrown again', async () => {
  const kept = new Error('one error object of a driver');
  let calls = 0;
  await pay(async () => {
    calls += 1;
    if (calls === 1) throw notSent(kept);
    await new Promise((resolve) => http.get(server.url, (response) => response.resume().on('end', resolve)));
    throw kept;
  });
  expect([calls, server.count]).toEqual([2, 1]);
});
