import { mock } from 'node:test';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Guard } from '../../../src/guard/index.ts';
import { createKeelson } from '../../../src/guard/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { watched } from '../scenario.ts';

afterEach(() => {
  vi.useRealTimers();
  mock.timers.reset();
});

const hangs = (): Promise<never> => new Promise(() => {});
const api = (): Guard => createKeelson().guard('api', { timeout: { attempt: '50ms' } });

/** Whether a call that hangs times out on real time. */
async function timesOut(guard: Guard): Promise<string> {
  const { outcome } = await guard.outcome('load', hangs);
  return outcome;
}

describe("after a test with Vitest's timers", () => {
  test('the timeouts of the guard and of others fire on real time', async () => {
    const guard = api();
    vi.useFakeTimers();
    expect(await guard.run('load', async () => 'ok')).toBe('ok');
    vi.useRealTimers();
    expect(await timesOut(guard)).toBe('timeout');
    expect(await timesOut(api())).toBe('timeout');
  });

  test('they fire on the timers of the next test', async () => {
    const guard = api();
    for (let times = 0; times < 3; times += 1) {
      vi.useFakeTimers();
      expect(await guard.run('load', async () => 'ok')).toBe('ok');
      const call = guard.outcome('load', hangs);
      await vi.advanceTimersByTimeAsync(50);
      expect((await call).outcome).toBe('timeout');
      vi.useRealTimers();
    }
  });

  test('they fire after the runner has cleared all timers, or moved the date', async () => {
    const guard = api();
    vi.useFakeTimers();
    expect(await guard.run('load', async () => 'ok')).toBe('ok');
    vi.clearAllTimers();
    vi.setSystemTime(0);
    const call = guard.outcome('load', hangs);
    await vi.advanceTimersByTimeAsync(50);
    expect((await call).outcome).toBe('timeout');
  });

  test('a call that was on its way at the end of the test harms no later one', async () => {
    const guard = api();
    vi.useFakeTimers();
    const left = watched(guard.outcome('load', hangs));
    vi.useRealTimers();
    expect(await timesOut(guard)).toBe('timeout');
    expect(left.settled).toBe(false);
  });

  test('a call that waits for a token waits on real time, also behind one that was left waiting', async () => {
    const guard = createKeelson().guard('limited', {
      rateLimit: { limit: 1, per: '20ms', maxWait: '10s', queue: 5 },
    });
    await guard.run('load', async () => 'first');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const left = guard.run('load', async () => 'left');
    vi.useRealTimers();
    expect(await guard.run('load', async () => 'next')).toBe('next');
    expect(await left).toBe('left');
  });

  test('no timer is left behind by calls that ended in time', async () => {
    vi.useFakeTimers();
    await api().run('load', async () => 'ok');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("with node:test's timers, which leave the monotonic time alone", () => {
  test('a timeout fires when its test has moved the time that far, and not before', async () => {
    const guard = api();
    mock.timers.enable({ apis: ['setTimeout'] });
    expect(await guard.run('load', async () => 'ok')).toBe('ok');
    mock.timers.tick(40);
    const call = guard.outcome('load', hangs);
    const state = watched(call);
    mock.timers.tick(49);
    await Promise.resolve();
    expect(state.settled).toBe(false);
    mock.timers.tick(1);
    expect((await call).outcome).toBe('timeout');
    mock.timers.reset();
    expect(await timesOut(guard)).toBe('timeout');
  });
});

test("the fake clock advances while the runner's timers are replaced, immediates included", async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate', 'Date', 'performance'] });
  const clock = new FakeClock();
  const call = createKeelson({ clock })
    .guard('api', { timeout: { attempt: '1s' } })
    .outcome('load', hangs);
  await clock.advance(1_000);
  expect((await call).outcome).toBe('timeout');
});
