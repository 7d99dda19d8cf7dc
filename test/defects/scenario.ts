import { vi } from 'vitest';
import type { Guard, GuardOptions } from '../../src/guard/index.ts';
import { createKeelson } from '../../src/guard/index.ts';
import { FakeClock, seededRandom } from '../../src/testing/index.ts';

/** A guard on a clock that stands still, for our half of a comparison. */
export function guardOnFakeClock(options: GuardOptions): { guard: Guard; clock: FakeClock } {
  const clock = new FakeClock();
  const keelson = createKeelson({ clock, random: seededRandom(1), warn: () => {} });
  return { clock, guard: keelson.guard('payments', options) };
}

/** Runs cockatiel's half of a comparison, whose policies know only the timers of the process, on fake ones. */
export async function onFakeTimers(body: () => Promise<void>): Promise<void> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  try {
    await body();
  } finally {
    vi.useRealTimers();
  }
}

/** Waits on cockatiel's fake timers. */
export function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** What a promise rejects with. @throws where it does not */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  const [result] = await Promise.allSettled([promise]);
  if (result.status === 'fulfilled') throw new Error(`It gave ${String(result.value)}.`);
  return result.reason;
}

/** Whether a promise has settled by now. */
export function watched(promise: Promise<unknown>): { readonly settled: boolean } {
  const watch = { settled: false };
  const settle = (): void => {
    watch.settled = true;
  };
  promise.then(settle, settle);
  return watch;
}
