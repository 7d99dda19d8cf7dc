import { describe, expect, test } from 'vitest';
import type { GuardOptions } from '../../../src/index.ts';
import { createKeelson } from '../../../src/index.ts';
import type { Taken } from '../../../src/policies/rate-limit/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';

const RETRY = { retries: 1, delay: 0, jitter: 0 } as const;

interface World {
  readonly clock: FakeClock;
  readonly guard: ReturnType<ReturnType<typeof createKeelson>['guard']>;
  /** One call whose first attempt is told to come back after so long. */
  readonly told: (retryAfterMs: number) => Promise<string>;
  readonly plain: () => Promise<string>;
}

function world(rateLimit: GuardOptions['rateLimit'], options: GuardOptions = {}): World {
  const clock = new FakeClock();
  const guard = createKeelson({ clock, warn() {} }).guard('api', {
    retry: RETRY,
    ...options,
    ...(rateLimit ? { rateLimit } : {}),
  });
  const end = async (fn: () => string | Promise<string>): Promise<string> => {
    const { outcome, suppressed } = await guard.outcome('get', fn);
    return `${outcome}${suppressed ? ` ${suppressed.policy}/${suppressed.reason}` : ''}@${clock.now()}`;
  };
  return {
    clock,
    guard,
    told: (retryAfterMs) => {
      let runs = 0;
      return end(async () => {
        runs += 1;
        if (runs === 1) throw Object.assign(new Error('429'), { status: 429, retryAfterMs });
        return 'ok';
      });
    },
    plain: () => end(() => 'ok'),
  };
}

describe.each(['window', 'bucket'] as const)('the retry that follows a Retry-After, in a %s', (algorithm) => {
  test('passes the limit that waits for nobody', async () => {
    const { clock, told } = world({ algorithm, limit: 100, per: '1s' });
    const end = told(7);
    await clock.advance(7);
    expect(await end).toBe('success@7');
  });

  test('has the first token after the pause, before those who have waited for it', async () => {
    const { clock, told, plain, guard } = world({ algorithm, limit: 2, per: '10s', maxWait: '1m' });
    const first = told(5_000);
    await clock.advance(0);
    const others = [plain(), plain()];
    await clock.advance(5_000);
    expect(await first).toBe('success@5000');
    expect(guard.snapshot().rateLimit?.queued).toBe(2);
    await clock.advance(20_000);
    expect((await Promise.all(others)).every((end) => end.startsWith('success'))).toBe(true);
  });

  test('waits for its turn whatever `maxWait` and `queue` are, if the limit is used up', async () => {
    const { clock, told } = world({ algorithm, limit: 1, per: '1s', queue: 0 });
    const end = told(100);
    await clock.advance(1_100);
    expect(await end).toMatch(/^success@1(0|1)00$/);
  });

  test('does so for each of many calls that were told the same', async () => {
    const { clock, told, guard } = world({ algorithm, limit: 100, per: '1s' });
    const ends = Array.from({ length: 5 }, () => told(30));
    await clock.advance(1_000);
    expect((await Promise.all(ends)).every((end) => end.startsWith('success'))).toBe(true);
    expect(guard.snapshot()).toMatchObject({ rejections: { 'rate_limit/rate_limited': 0 } });
  });

  test('keeps nothing for a caller that has left, nor for a call whose time is over', async () => {
    const { clock, guard, plain } = world({ algorithm, limit: 2, per: '1s' }, { timeout: { total: '5s' } });
    const controller = new AbortController();
    const fail = (): never => {
      throw Object.assign(new Error('429'), { status: 429, retryAfterMs: 500 });
    };
    const left = guard.outcome('get', fail, { signal: controller.signal });
    await clock.advance(0);
    controller.abort();
    expect((await left).outcome).toBe('cancelled');
    await clock.advance(2_000);
    expect(await guard.limiter?.available()).toBe(2);
    expect(await Promise.all([plain(), plain()])).toEqual(['success@2000', 'success@2000']);
  });

  test('ends with its deadline, in the line of the limit', async () => {
    const options = { timeout: { total: '2s' } } as const;
    const { clock, told, guard } = world({ algorithm, limit: 1, per: '1m' }, options);
    const end = told(100);
    await clock.advance(2_000);
    expect(await end).toMatch(/^failure/);
    expect(guard.snapshot().rateLimit?.queued).toBe(0);
    expect(clock.timers.running).toBe(0);
  });
});

test('a retry without a Retry-After has no such right', async () => {
  const { clock, guard } = world({ limit: 1, per: '1m' });
  const outcome = guard.outcome('get', () => {
    throw new Error('500');
  });
  await clock.advance(0);
  expect(await outcome).toMatchObject({ suppressed: { policy: 'rate_limit', reason: 'rate_limited' } });
});

test('the retry is the first in the line of a shared limit too, and waits for as long as it takes', async () => {
  const asked: number[] = [];
  let free = 1;
  const takeFromWindow = async (): Promise<Taken> => {
    asked.push(clock.now());
    free -= 1;
    return free >= 0
      ? { granted: true, retryAfterMs: 0, remaining: 0, at: clock.now() }
      : { granted: false, retryAfterMs: 1_000, remaining: 0 };
  };
  const store = { takeFromWindow, take: takeFromWindow, close: async () => {} };
  const { clock, told } = world({ limit: 1, per: '1s', store });
  const end = told(200);
  await clock.advance(1_100);
  free = 1;
  await clock.advance(1_200);
  expect(await end).toMatch(/^success/);
  expect(asked.filter((at) => at > 0 && at < 200)).toEqual([]);
});

test('a Retry-After of 0 pauses nobody, and gives no such right', async () => {
  const { clock, told, guard } = world({ limit: 1, per: '1m' });
  const end = told(0);
  await clock.advance(0);
  expect(await end).toBe('failure rate_limit/rate_limited@0');
  expect(guard.snapshot().rateLimit?.pausedMs).toBe(0);
});
