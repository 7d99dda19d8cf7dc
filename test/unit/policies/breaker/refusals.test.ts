import { describe, expect, test } from 'vitest';
import { isRejection } from '../../../../src/core/errors.ts';
import { OptionChecker } from '../../../../src/core/options.ts';
import type { BreakerOptions } from '../../../../src/policies/breaker/index.ts';
import { Breaker } from '../../../../src/policies/breaker/index.ts';
import { resolveBreaker } from '../../../../src/policies/breaker/options.ts';
import { FakeClock } from '../../../../src/testing/index.ts';

interface SetUp {
  readonly circuit: Breaker;
  readonly clock: FakeClock;
  readonly transitions: string[];
}

function setUp(options: BreakerOptions, random: () => number = () => 0.5): SetUp {
  const clock = new FakeClock();
  const transitions: string[] = [];
  const onTransition = (from: string, to: string): unknown => transitions.push(`${from}/${to}`);
  const check = new OptionChecker('breaker');
  const circuit = new Breaker(resolveBreaker(options, check), { clock, random, onTransition });
  check.done();
  return { circuit, clock, transitions };
}

/** Runs a function that ends at once. */
function run({ circuit, clock }: SetUp, result: 'success' | 'failure' | 'neutral'): void {
  const permit = circuit.acquire(clock.now());
  if (typeof permit !== 'number') throw permit;
  circuit.report(permit, result);
}

describe('the refusal of a circuit', () => {
  test('of a guard names it, and counts whole milliseconds', () => {
    const clock = new FakeClock();
    const options = resolveBreaker({ failures: 1, openFor: 298.24 }, new OptionChecker('breaker'));
    const source = { guard: 'payments' };
    const circuit = new Breaker(options, { clock, random: () => 0.5, onTransition: () => {}, source });
    circuit.report(0, 'failure');
    expect(circuit.refusal(0)?.message).toBe(
      'Guard "payments": the circuit is open; the next trial is in 299ms.',
    );
    circuit.forceOpen();
    expect(circuit.refusal(0)?.message).toBe('Guard "payments": the circuit is held open.');
  });

  test('that is open says when the next trial is, and what to look at', () => {
    const { circuit, clock, ...rest } = setUp({ failures: 1, openFor: '90s' });
    run({ circuit, clock, ...rest }, 'failure');
    expect(circuit.refusal(0)).toMatchObject({
      code: 'ERR_KEELSON_BREAKER_OPEN',
      reason: 'open',
      retryAfterMs: 90_000,
      message: 'The circuit is open; the next trial is in 1.5m.',
      hint: expect.stringMatching(/failed repeatedly/),
      source: { policy: 'breaker' },
    });
  });

  test('that is half-open says so, and when it gives up its trials', () => {
    const given = setUp({ failures: 1, successes: 1, openFor: '10s' });
    run(given, 'failure');
    given.clock.block(10_000);
    given.circuit.acquire(10_000);
    given.clock.block(4_000);
    expect(given.circuit.retryAfterMs).toBeUndefined();
    expect(given.circuit.refusal(14_000)).toMatchObject({
      code: 'ERR_KEELSON_BREAKER_OPEN',
      reason: 'half_open',
      retryAfterMs: 6_000,
      message: expect.stringMatching(/half-open/),
      hint: expect.stringMatching(/retryAfterMs/),
    });
  });

  test('that is held open says who can close it', () => {
    const { circuit } = setUp({});
    circuit.forceOpen();
    expect(circuit.refusal(0)).toMatchObject({
      code: 'ERR_KEELSON_BREAKER_FORCED_OPEN',
      reason: 'forced_open',
      retryAfterMs: undefined,
      message: 'The circuit is held open.',
      hint: expect.stringMatching(/by hand.*reset\(\)/),
    });
  });
});

describe('the ramp after a close', () => {
  const options = { failures: 1, successes: 1, openFor: '10s', ramp: '8s' } as const;

  function closed(random: () => number): SetUp {
    const given = setUp(options, random);
    run(given, 'failure');
    given.clock.block(10_000);
    run(given, 'success');
    return given;
  }

  test.each([
    [2_000, 0.74, true],
    [2_000, 0.75, false],
    [6_000, 0.24, true],
    [6_000, 0.25, false],
    [7_999, 0, true],
    [8_000, 0, false],
  ])('%i ms after it, chance %d: refused %s', (afterMs, chance, isRefused) => {
    const { circuit } = closed(() => chance);
    const refusal = circuit.refusal(10_000 + afterMs);
    expect(refusal !== undefined).toBe(isRefused);
    expect(refusal ?? { reason: 'half_open', retryAfterMs: 8_000 - afterMs }).toMatchObject({
      reason: 'half_open',
      retryAfterMs: 8_000 - afterMs,
    });
  });

  test('begins with the close, not with the trial', () => {
    const given = setUp(options, () => 0.5);
    run(given, 'failure');
    given.clock.block(10_000);
    const permit = given.circuit.acquire(10_000);
    given.clock.block(3_000);
    if (typeof permit === 'number') given.circuit.report(permit, 'success');
    expect(given.circuit.refusal(14_000)).toMatchObject({ reason: 'half_open', retryAfterMs: 7_000 });
    expect(given.circuit.refusal(17_000)).toBeUndefined();
  });

  test('is over with a reset, and is none for a circuit that opens again', () => {
    const reset = closed(() => 0);
    reset.circuit.reset();
    expect(reset.circuit.refusal(10_000)).toBeUndefined();
    const open = closed(() => 0.99);
    run(open, 'failure');
    expect(open.circuit.refusal(10_000)).toMatchObject({ reason: 'open', retryAfterMs: 10_000 });
    open.circuit.disable();
    expect(open.circuit.refusal(10_000)).toBeUndefined();
  });

  test('is none where there is no ramp', () => {
    const given = setUp({ failures: 1, successes: 1, openFor: '10s' }, () => 0);
    run(given, 'failure');
    given.clock.block(10_000);
    run(given, 'success');
    expect(given.circuit.refusal(10_000)).toBeUndefined();
  });
});

describe('a circuit', () => {
  test('counts errors as failures, but no refusal of a guard; a filter that throws counts as a yes', () => {
    const { circuit } = setUp({ failures: 1 });
    circuit.forceOpen();
    const refusal = circuit.refusal(0);
    expect(isRejection(refusal)).toBe(true);
    expect([circuit.isFailure(refusal), circuit.isFailure(new Error('no'))]).toEqual([false, true]);
    const throwing = setUp({
      failureIf: () => {
        throw new Error('a filter that throws');
      },
    });
    expect(throwing.circuit.isFailure(new Error('no'))).toBe(true);
    const picky = setUp({ failureIf: (error) => error === 'counts' });
    expect([picky.circuit.isFailure('counts'), picky.circuit.isFailure('other')]).toEqual([true, false]);
  });

  test('forgets its failures when it is reset, and tells of no change where there is none', () => {
    const given = setUp({ failures: 2 });
    run(given, 'failure');
    given.circuit.reset();
    run(given, 'failure');
    expect(given.circuit.state).toBe('closed');
    run(given, 'failure');
    expect(given.transitions).toEqual(['closed/open']);
  });

  test('keeps what it has counted when a call ends that says nothing', () => {
    const given = setUp({ failures: 2 });
    run(given, 'failure');
    run(given, 'neutral');
    run(given, 'failure');
    expect(given.circuit.state).toBe('open');
  });

  test('watches nothing where slowness does not count, and nothing that shadow mode let through', () => {
    const plain = setUp({});
    expect(plain.circuit.watch(0, 0)).toBeUndefined();
    const shadowed = setUp({ slowCallRate: 1, slowCall: '1s', minimumCalls: 1, mode: 'shadow' });
    expect(shadowed.circuit.watch(0, 0)).toBeDefined();
    shadowed.circuit.forceOpen();
    const permit = shadowed.circuit.acquire(0);
    expect(typeof permit === 'number' && shadowed.circuit.watch(permit, 0)).toBeUndefined();
    expect(shadowed.clock.timers.running).toBe(1);
  });

  test('takes a slow call that succeeds for slow, and for no failure', async () => {
    const given = setUp({ failureRate: 1, slowCallRate: 1, slowCall: '1s', minimumCalls: 2 });
    const running = given.circuit.watch(0, 0);
    await given.clock.advance(1_000);
    given.circuit.report(0, 'success', running);
    expect(given.circuit.toJSON().rule).toEqual([2]);
  });

  test('begins a new round when trials are lost, and forgets what the lost one and its companions say', () => {
    const given = setUp({ failures: 1, successes: 2, openFor: '10s' });
    run(given, 'failure');
    given.clock.block(10_000);
    run(given, 'success');
    const lost = given.circuit.acquire(10_000);
    given.clock.block(10_000);
    const fresh = given.circuit.acquire(20_000);
    expect(fresh).not.toBe(lost);
    for (const permit of [lost, fresh])
      if (typeof permit === 'number') given.circuit.report(permit, 'success');
    expect(given.circuit.state).toBe('half_open');
    run(given, 'success');
    expect(given.circuit.state).toBe('closed');
  });

  test('takes no slow call of an earlier time into account', async () => {
    const given = setUp({ slowCallRate: 1, slowCall: '1s', minimumCalls: 1 });
    given.circuit.watch(0, 0);
    given.circuit.reset();
    await given.clock.advance(1_000);
    expect([given.circuit.state, given.circuit.toJSON().rule]).toEqual(['closed', []]);
  });

  test('takes a trial that is slow and says nothing for one that says nothing', async () => {
    const given = setUp({ slowCallRate: 1, slowCall: '1s', minimumCalls: 1, successes: 1, openFor: '5s' });
    given.circuit.watch(0, 0);
    await given.clock.advance(6_000);
    const permit = given.circuit.acquire(6_000);
    if (typeof permit !== 'number') throw permit;
    const running = given.circuit.watch(permit, 6_000);
    await given.clock.advance(1_000);
    given.circuit.report(permit, 'neutral', running);
    expect([running?.isSlow, given.circuit.state]).toEqual([true, 'half_open']);
  });
});

describe('calls that wait for a decision', () => {
  function halfOpen(): SetUp {
    const given = setUp({ failures: 1, successes: 1, openFor: '10s', halfOpenWait: '1s' });
    run(given, 'failure');
    given.clock.block(10_000);
    given.circuit.acquire(10_000);
    return given;
  }

  test('are at most a thousand', () => {
    const { circuit } = halfOpen();
    const waits = Array.from({ length: 1_001 }, () => circuit.decisions.join());
    expect(waits.filter((wait) => wait !== undefined)).toHaveLength(1_000);
    waits[0]?.expire();
    expect(circuit.decisions.join()).toBeDefined();
    expect(circuit.decisions.join()).toBeUndefined();
  });

  test('give back their place and their time, whether they are decided or interrupted', async () => {
    const { circuit, clock } = halfOpen();
    const decided = circuit.decisions.join();
    const interrupted = circuit.decisions.join();
    const caught = expect(interrupted?.granted).rejects.toBe('left');
    expect(clock.timers.refed).toBe(1);
    interrupted?.interrupt('left');
    circuit.reset();
    await decided?.granted;
    await caught;
    expect(clock.timers.refed).toBe(0);
  });

  test('are none where nobody may wait', () => {
    expect(setUp({}).circuit.decisions.join()).toBeUndefined();
  });
});
