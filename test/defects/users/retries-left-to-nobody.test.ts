import { describe, expect, test } from 'vitest';
import type { CallOptions, Guard, GuardOptions } from '../../../src/guard/index.ts';
import { createKeelson } from '../../../src/guard/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';

/** An inner guard with five retries, inside an outer one. */
function nest(
  outerOptions: GuardOptions,
  innerOptions: GuardOptions = {},
): { outer: Guard; inner: Guard; clock: FakeClock } {
  const clock = new FakeClock();
  const keelson = createKeelson({ clock, random: () => 0.5, warn: () => {} });
  return {
    clock,
    outer: keelson.guard('outer', outerOptions),
    inner: keelson.guard('inner', { retry: { retries: 5, delay: 0 }, ...innerOptions }),
  };
}

/** How often the function of the inner guard runs, if it always throws `error`. */
async function executions(
  { outer, inner, clock }: ReturnType<typeof nest>,
  { error = new Error('reset'), options = {} }: { error?: unknown; options?: CallOptions } = {},
): Promise<number> {
  let count = 0;
  const fail = (): never => {
    count += 1;
    throw error;
  };
  const call = outer.outcome('sell', () => inner.run('charge', fail), options);
  await clock.advance(60_000);
  await call;
  return count;
}

const retry = { retries: 2, delay: 0 } as const;

describe('an inner guard retries by itself', () => {
  test('if the outer one does not retry this error', async () => {
    const nested = nest({ retry: { ...retry, retryIf: () => false } });
    expect(await executions(nested)).toBe(6);
    expect(nested.inner.snapshot().suppressed['nested']).toBe(0);
  });

  test('if the budget of the outer one is empty', async () => {
    expect(await executions(nest({ retry: { ...retry, budget: { ratio: 0, floor: 0 } } }))).toBe(6);
  });

  test('but not if the outer call must not be done twice: that holds for what it calls', async () => {
    expect(await executions(nest({ retry }), { options: { idempotent: false } })).toBe(1);
  });

  test('if the time of the outer one ends before its next attempt', async () => {
    const outer = { retry: { retries: 2, delay: '10s' }, timeout: { total: '5s' } } as const;
    expect(await executions(nest(outer))).toBe(6);
  });

  test('if the outer one waits longer than it may because the server asks for that', async () => {
    const outer = { retry, timeout: { total: '5s' } } as const;
    const error = Object.assign(new Error('busy'), { headers: { 'retry-after': '30' } });
    const inner = { retry: { retries: 5, delay: 0, retryAfter: false } } as const;
    expect(await executions(nest(outer, inner), { error })).toBe(6);
  });

  test('if its own fallback answers, so that the outer one sees no error', async () => {
    const nested = nest({ retry }, { fallback: { value: 'stand-in' } });
    expect(await executions(nested)).toBe(6);
  });

  test('unless its fallback does not take the error', async () => {
    const nested = nest({ retry }, { fallback: { value: 'stand-in', when: () => false } });
    expect(await executions(nested)).toBe(1 + 1 + 6);
  });

  test('if a value is a failure for the inner guard and not for the outer one', async () => {
    const { outer, inner, clock } = nest({ retry }, { failedResult: (value: number) => value >= 500 });
    let count = 0;
    const run = outer.outcome('sell', () => inner.run('charge', () => (count += 1) && 503));
    await clock.advance(60_000);
    expect(await run).toMatchObject({ outcome: 'success', value: 503 });
    expect(count).toBe(6);
  });

  test('in the last attempt of the outer one', async () => {
    expect(await executions(nest({ retry }))).toBe(1 + 1 + 6);
  });
});

test('an inner guard leaves its retries to an outer one that will retry, without spending its budget', async () => {
  const nested = nest({ retry: { ...retry, budget: { ratio: 0, floor: 2 } } });
  expect(await executions(nested)).toBe(1 + 1 + 6);
  expect(nested.outer.snapshot().retries).toBe(2);
});

test('an inner guard leaves its retries to the outermost one, past one that leaves them too', async () => {
  const { outer, inner, clock } = nest({ retry: { retries: 1, delay: 0 } });
  const middle = createKeelson({ clock, warn: () => {} }).guard('middle', {
    retry: { retries: 1, delay: 0, retryIf: () => false },
  });
  let count = 0;
  const fail = (): never => {
    count += 1;
    throw new Error('reset');
  };
  const call = outer.outcome('sell', () => middle.run('pass', () => inner.run('charge', fail)));
  await clock.advance(60_000);
  await call;
  expect(count).toBe(1 + 6);
});

test('a job of ten steps survives the blip of one of them', async () => {
  const { outer, inner, clock } = nest({ retry: { ...retry, retryIf: () => false } });
  let runs = 0;
  const job = outer.outcome('job', async () => {
    for (let step = 0; step < 10; step += 1) {
      await inner.run('step', () => {
        runs += 1;
        if (runs === 4) throw new Error('blip');
      });
    }
    return 'done';
  });
  await clock.advance(1_000);
  expect(await job).toMatchObject({ outcome: 'success', attempts: 1 });
});
