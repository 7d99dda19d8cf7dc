import type { Span } from '@opentelemetry/api';
import { context, propagation, trace } from '@opentelemetry/api';
import { handleAll, retry, wrap } from 'cockatiel';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createKeelson } from '../../../src/guard/index.ts';
import type { ChaosOptions } from '../../../src/testing/index.ts';
import {
  chaos,
  ChaosError,
  FakeClock,
  recordTelemetry,
  seededRandom,
  settlePromises,
} from '../../../src/testing/index.ts';
import { installContextManager } from '../../support/memory-telemetry.ts';

const EVERYTHING = {
  faults: { rate: 1 },
  latency: { rate: 1, max: '1s' },
  outcomes: { rate: 1, value: () => 'chaos' },
} as const;
const always = { random: () => 0 };

function counted(): { (): string; calls: number } {
  const fn = (): string => {
    fn.calls += 1;
    return 'real';
  };
  fn.calls = 0;
  return fn;
}

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Runs `body` as part of a request that asks for this. */
async function asking<T>(word: string, body: () => Promise<T>): Promise<T> {
  const remove = installContextManager();
  try {
    const baggage = propagation.createBaggage({ 'keelson.chaos': { value: word } });
    return await context.with(propagation.setBaggage(context.active(), baggage), body);
  } finally {
    remove();
  }
}

describe('chaos that is not enabled', () => {
  test('injects nothing, though every rate is 1', async () => {
    const monkey = chaos({ ...EVERYTHING, ...always });
    expect(await monkey(counted())()).toBe('real');
    expect(monkey.counts).toEqual({ calls: 1, latency: 0, fault: 0, outcome: 0 });
    expect(monkey.mode()).toBe(false);
  });

  test('injects nothing into a request that asks for it', async () => {
    const monkey = chaos(EVERYTHING);
    expect(await asking('fault', monkey(counted()))).toBe('real');
  });
});

describe('a fault', () => {
  test('is thrown in place of the call', async () => {
    const fn = counted();
    const monkey = chaos({ enabled: true, faults: { rate: 1 } });
    await expect(monkey(fn)()).rejects.toBeInstanceOf(ChaosError);
    await expect(monkey(fn)()).rejects.toMatchObject({ code: 'ERR_KEELSON_CHAOS' });
    expect(fn.calls).toBe(0);
    expect(monkey.counts).toEqual({ calls: 2, latency: 0, fault: 2, outcome: 0 });
  });

  test('is the error that was asked for, made anew for each call', async () => {
    let made = 0;
    const error = (): Error => new Error(`fault ${(made += 1)}`);
    const fn = chaos({ enabled: true, faults: { rate: 1, error } })(counted());
    await expect(fn()).rejects.toThrow('fault 1');
    await expect(fn()).rejects.toThrow('fault 2');
  });

  test('comes before an outcome', async () => {
    const monkey = chaos({ ...EVERYTHING, latency: { max: 0 }, enabled: true });
    await expect(monkey(counted())()).rejects.toBeInstanceOf(ChaosError);
    expect(monkey.counts).toEqual({ calls: 1, latency: 0, fault: 1, outcome: 0 });
  });
});

describe('an outcome', () => {
  test('is given in place of the call', async () => {
    const fn = counted();
    const monkey = chaos({ enabled: true, outcomes: { rate: 1, value: () => 'chaos' } });
    expect(await monkey(fn)()).toBe('chaos');
    expect(fn.calls).toBe(0);
    expect(monkey.counts.outcome).toBe(1);
  });
});

describe('a latency', () => {
  const latency = { rate: 1, min: '200ms', max: '600ms' } as const;

  test('passes before the call, evenly between its bounds', async () => {
    const clock = new FakeClock();
    const fn = counted();
    const monkey = chaos({ enabled: true, latency, random: () => 0.5, clock });
    const call = monkey(fn)();
    await clock.advance(399);
    expect(fn.calls).toBe(0);
    await clock.advance(1);
    expect(fn.calls).toBe(1);
    expect(await call).toBe('real');
    expect(monkey.counts).toEqual({ calls: 1, latency: 1, fault: 0, outcome: 0 });
  });

  test('comes before a fault too', async () => {
    const clock = new FakeClock();
    const call = chaos({ enabled: true, latency, faults: { rate: 1 }, random: () => 0, clock })(counted())();
    const caught = expect(call).rejects.toBeInstanceOf(ChaosError);
    await clock.advance(199);
    expect(clock.timers.running).toBe(1);
    await clock.advance(1);
    await caught;
  });

  test('ends when a guard gives up, and leaves no timer', async () => {
    const clock = new FakeClock();
    const monkey = chaos({ enabled: true, latency: { rate: 1, min: '1m', max: '1m' }, clock });
    const guard = createKeelson({ clock }).guard('slow', { timeout: { attempt: '100ms' } });
    const fn = counted();
    const outcome = guard.outcome('read', monkey(fn));
    await clock.advance(100);
    expect(await outcome).toMatchObject({ outcome: 'timeout', attempts: 1 });
    await settlePromises();
    expect(guard.snapshot().abandoned).toBe(0);
    expect([fn.calls, clock.timers.running]).toEqual([0, 0]);
  });

  test('is none for a signal that has aborted before', async () => {
    const clock = new FakeClock();
    const monkey = chaos({ enabled: true, latency, clock });
    const call = monkey(({ signal }: { signal: AbortSignal }) => signal.aborted);
    await expect(call({ signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
    expect(clock.timers.running).toBe(0);
  });

  test('takes anything but a signal for none', async () => {
    const clock = new FakeClock();
    const echo = chaos({ enabled: true, latency, clock, ...always })((value: unknown) => value);
    const values = [undefined, null, 'x', { signal: 'no signal' }];
    const calls = Promise.all(values.map((value) => echo(value)));
    await clock.advance(200);
    expect(await calls).toEqual(values);
  });
});

describe('rates', () => {
  const half: ChaosOptions = {
    enabled: true,
    faults: { rate: 0.25 },
    outcomes: { rate: 0.25, value: () => 'chaos' },
  };

  async function history(options: ChaosOptions): Promise<string> {
    const fn = chaos(options)(() => '.');
    let said = '';
    for (let call = 0; call < 400; call += 1) {
      said += await fn().then(
        (value) => value[0],
        () => 'f',
      );
    }
    return said;
  }

  test('are kept', async () => {
    const said = await history({ ...half, random: seededRandom(1) });
    const share = (letter: string): number => said.split(letter).length - 1;
    expect(share('f')).toBeGreaterThan(80);
    expect(share('f')).toBeLessThan(120);
    expect(share('c')).toBeGreaterThan(55);
    expect(share('c')).toBeLessThan(95);
  });

  test('give the same chaos for the same seed, and the same faults whatever else there is', async () => {
    const once = await history({ ...half, random: seededRandom(1) });
    expect(await history({ ...half, random: seededRandom(1) })).toBe(once);
    const alone = await history({ enabled: true, faults: { rate: 0.25 }, random: seededRandom(1) });
    expect(alone).toBe(once.replaceAll('c', '.'));
    expect(await history({ ...half, random: seededRandom(2) })).not.toBe(once);
  });

  test('are 0 where they are left out', async () => {
    const monkey = chaos({
      enabled: true,
      faults: {},
      latency: { max: '1s' },
      outcomes: { value: () => 1 },
      ...always,
    });
    expect(await monkey(counted())()).toBe('real');
  });
});

describe('the baggage of a request', () => {
  const options: ChaosOptions = { faults: { rate: 0 }, outcomes: { rate: 0, value: () => 'chaos' } };

  test('chooses the chaos of this request, and of no other', async () => {
    const monkey = chaos({ ...options, enabled: 'baggage' });
    const fn = monkey(counted());
    await expect(asking('fault', fn)).rejects.toBeInstanceOf(ChaosError);
    expect(await asking('outcome', fn)).toBe('chaos');
    expect(await fn()).toBe('real');
    expect(monkey.counts).toEqual({ calls: 3, latency: 0, fault: 1, outcome: 1 });
  });

  test('switches the rates off that apply otherwise', async () => {
    const monkey = chaos({ enabled: true, faults: { rate: 1 }, outcomes: { rate: 1, value: () => 'chaos' } });
    expect(await asking('off', monkey(counted()))).toBe('real');
    expect(await asking('outcome', monkey(counted()))).toBe('chaos');
  });

  test('is as if it were not there, where it is none of the four words or what it asks for is not configured', async () => {
    const monkey = chaos({ ...options, enabled: 'baggage' });
    expect(await asking('everything', monkey(counted()))).toBe('real');
    expect(await asking('latency', monkey(counted()))).toBe('real');
    const byRate = chaos({ enabled: true, faults: { rate: 1 } });
    await expect(asking('everything', byRate(counted()))).rejects.toBeInstanceOf(ChaosError);
  });

  test('does not bring in the rates where only baggage counts', async () => {
    const monkey = chaos({ ...EVERYTHING, enabled: 'baggage', ...always });
    expect(await monkey(counted())()).toBe('real');
  });
});

describe('in production', () => {
  test('chaos refuses to be enabled', () => {
    vi.stubEnv('NODE_ENV', 'production');
    expect(() => chaos({ ...EVERYTHING, enabled: true })).toThrow(/allowInProduction: true/);
    expect(() => chaos({ ...EVERYTHING, enabled: 'baggage' })).toThrow(/NODE_ENV is production/);
    const monkey = chaos({ ...EVERYTHING });
    expect(() => monkey.enable()).toThrow(/allowInProduction/);
    expect(monkey.mode()).toBe(false);
  });

  test('it is enabled where somebody said so', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    const monkey = chaos({ enabled: true, allowInProduction: true, faults: { rate: 1 } });
    await expect(monkey(counted())()).rejects.toBeInstanceOf(ChaosError);
  });
});

describe('the switch', () => {
  test('turns chaos on and off while it runs', async () => {
    const monkey = chaos({ faults: { rate: 1 } });
    const fn = monkey(counted());
    monkey.enable();
    expect(monkey.mode()).toBe(true);
    await expect(fn()).rejects.toBeInstanceOf(ChaosError);
    monkey.enable('baggage');
    expect(await fn()).toBe('real');
    monkey.disable();
    expect(monkey.mode()).toBe(false);
    expect(() => monkey.enable('always' as never)).toThrow(/`enabled` to be true, false or 'baggage'/);
  });
});

describe('every injection', () => {
  test('is an event on the active span, with an attribute to search for', async () => {
    const telemetry = await recordTelemetry();
    const uninstall = telemetry.install();
    const clock = new FakeClock();
    const monkey = chaos({
      enabled: true,
      latency: { rate: 1, max: 1_500 },
      faults: { rate: 1 },
      random: () => 0.5,
      clock,
    });
    const guard = createKeelson({ clock }).guard('payments', {});
    const outcome = guard.outcome('charge', monkey(counted()));
    await clock.advance(750);
    expect(await outcome).toMatchObject({ outcome: 'failure' });
    uninstall();
    const span = telemetry.expectCall({ errorType: 'ERR_KEELSON_CHAOS' });
    expect(span.attributes['keelson.chaos.injected']).toBe(true);
    expect(span.events.map(({ name, attributes }) => [name, attributes])).toEqual([
      ['keelson.chaos.injected', { 'keelson.chaos.kind': 'latency', 'keelson.chaos.latency': 0.75 }],
      ['keelson.chaos.injected', { 'keelson.chaos.kind': 'fault' }],
    ]);
  });

  test('happens although the span throws', async () => {
    const remove = installContextManager();
    const span = { setAttribute: () => expect.unreachable(), spanContext: () => ({}) } as unknown as Span;
    const fn = chaos({ enabled: true, outcomes: { rate: 1, value: () => 'chaos' } })(counted());
    expect(await context.with(trace.setSpan(context.active(), span), fn)).toBe('chaos');
    remove();
  });
});

describe('as a policy', () => {
  test('it works in the wrap of cockatiel, and tells its listeners', async () => {
    const chances = [0, 0, 0, 0, 0.9, 0.9, 0.9, 0.9];
    const monkey = chaos({ enabled: true, faults: { rate: 0.5 }, random: () => chances.shift() ?? 0.9 });
    const told: string[] = [];
    monkey.onFailure(({ handled }) => told.push(`failure, handled: ${handled}`));
    monkey.onSuccess(() => told.push('success'));
    const value = await wrap(retry(handleAll, { maxAttempts: 1 }), monkey).execute(
      ({ signal }) => `real, aborted: ${signal.aborted}`,
    );
    expect(value).toBe('real, aborted: false');
    expect(told).toEqual(['failure, handled: false', 'success']);
    expect(monkey.counts).toEqual({ calls: 2, latency: 0, fault: 1, outcome: 0 });
  });

  test('it ends a latency with the abort of the caller', async () => {
    const clock = new FakeClock();
    const monkey = chaos({ enabled: true, latency: { rate: 1, max: '1m' }, random: () => 0.5, clock });
    const caller = new AbortController();
    const fn = counted();
    const caught = expect(monkey.execute(fn, caller.signal)).rejects.toBe('left');
    await clock.advance(10);
    caller.abort('left');
    await caught;
    expect([fn.calls, clock.timers.running]).toEqual([0, 0]);
  });

  test('it throws what the function throws at once as a rejection', async () => {
    const explode = (): never => {
      throw new TypeError('no');
    };
    await expect(chaos(EVERYTHING)(explode)()).rejects.toThrow(TypeError);
  });
});
