import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { RejectedError } from '../../src/core/errors.ts';
import type { CallOutcome } from '../../src/core/outcome.ts';
import type { Guard } from '../../src/guard/index.ts';
import { createKeelson } from '../../src/guard/index.ts';
import type { BreakerHandle } from '../../src/policies/breaker/index.ts';
import { FakeClock, settlePromises } from '../../src/testing/index.ts';
import type { Deferred } from '../support/deferred.ts';
import { deferred } from '../support/deferred.ts';
import type { BreakerRules } from './breaker-model.ts';
import { BreakerModel } from './breaker-model.ts';

const rules: fc.Arbitrary<BreakerRules> = fc.record({
  rule: fc.oneof(
    fc.record({ failures: fc.integer({ min: 1, max: 3 }) }),
    fc.record({
      failureRate: fc.constantFrom(0.25, 0.5, 1),
      window: fc.integer({ min: 2, max: 5 }),
      minimumCalls: fc.integer({ min: 1, max: 2 }),
    }),
  ),
  successes: fc.integer({ min: 1, max: 3 }),
  openFor: fc.constantFrom(10, 25),
  openFactor: fc.constantFrom(1, 2),
  maxOpenFor: fc.constantFrom(5, 40, 1_000),
});

/** A call that is answered at once keeps circuits busy; one that is held is answered, or given up, by a later step. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constantFrom('succeed' as const, 'fail' as const, 'fail' as const) }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('hold' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('end' as const),
      held: fc.nat(5),
      how: fc.constantFrom('success' as const, 'failure' as const, 'ignored' as const, 'abort' as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 30 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('force' as const),
      state: fc.constantFrom('forced_open' as const, 'disabled' as const, 'closed' as const),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const IGNORED = new Error('not the dependency');
const END_OF = { success: 'success', failure: 'failure', ignored: 'answer', abort: 'neutral' } as const;

/** Guarded calls whose functions end when they are told to. */
class Driven {
  readonly clock = new FakeClock();
  readonly model: BreakerModel;
  readonly guard: Guard;
  readonly transitions: string[] = [];
  readonly refusals = new Map<number, string>();
  readonly expectedRefusals = new Map<number, string>();
  readonly outcomes: string[] = [];
  held: number[] = [];
  calls = 0;
  executions = 0;
  readonly #gates: Deferred<string>[] = [];
  readonly #callers: AbortController[] = [];

  constructor({ rule, ...times }: BreakerRules) {
    this.model = new BreakerModel({ rule, ...times });
    const keelson = createKeelson({ clock: this.clock, warn: () => {} });
    this.guard = keelson.guard('payments', {
      breaker: { ...rule, ...times, failureIf: (error) => error !== IGNORED },
    });
    this.guard.on((event) => {
      if (event.type === 'breaker.transition') this.transitions.push(`${event.from}/${event.to}`);
    });
  }

  get breaker(): BreakerHandle {
    if (!this.guard.breaker) throw new Error('The guard has a breaker.');
    return this.guard.breaker;
  }

  async take(action: Step): Promise<void> {
    if (action.type === 'advance') {
      this.model.now += action.ms;
      await this.clock.advance(action.ms);
    } else if (action.type === 'force') this.#force(action.state);
    else if (action.type === 'end') {
      const [id] = this.held.splice(action.held % Math.max(1, this.held.length), 1);
      if (id !== undefined) await this.#end(id, action.how);
    } else {
      const id = await this.#call();
      if (id !== undefined && action.type !== 'hold')
        await this.#end(id, action.type === 'succeed' ? 'success' : 'failure');
      else if (id !== undefined) this.held.push(id);
    }
  }

  /** @returns the call, if it runs */
  async #call(): Promise<number | undefined> {
    const id = this.calls;
    const gate = deferred<string>();
    const caller = new AbortController();
    this.calls += 1;
    this.#gates.push(gate);
    this.#callers.push(caller);
    const refusal = this.model.call(id);
    const run = (): Promise<string> => {
      this.executions += 1;
      return gate.promise;
    };
    void this.#follow(id, this.guard.outcome('charge', run, { signal: caller.signal }));
    await settlePromises();
    if (refusal === undefined) return id;
    this.expectedRefusals.set(id, refusal);
    return undefined;
  }

  async #follow(id: number, settled: Promise<CallOutcome<string>>): Promise<void> {
    const { outcome, error } = await settled;
    this.outcomes.push(outcome);
    if (error instanceof RejectedError) this.refusals.set(id, `${error.reason} ${error.retryAfterMs}`);
  }

  async #end(id: number, how: 'success' | 'failure' | 'ignored' | 'abort'): Promise<void> {
    this.model.finish(id, END_OF[how]);
    if (how === 'success') this.#gates[id]?.resolve('ok');
    else if (how === 'abort') this.#callers[id]?.abort('left');
    else this.#gates[id]?.reject(how === 'ignored' ? IGNORED : new Error('no'));
    await settlePromises();
  }

  #force(state: 'forced_open' | 'disabled' | 'closed'): void {
    this.model.force(state);
    if (state === 'forced_open') this.breaker.forceOpen();
    else if (state === 'disabled') this.breaker.disable();
    else this.breaker.reset();
  }
}

test('a breaker admits, refuses and changes its state as its model does, whatever happens to calls', async () => {
  await fc.assert(
    fc.asyncProperty(rules, fc.array(step, { maxLength: 80 }), async (given, steps) => {
      const real = new Driven(given);
      const { model, breaker, clock, guard } = real;
      for (const action of steps) {
        await real.take(action);
        expect(breaker.state).toBe(model.state);
        const leftMs = model.state === 'open' ? Math.max(0, model.openUntil - model.now) : undefined;
        expect(breaker.retryAfterMs).toBe(leftMs);
        expect(Object.fromEntries(real.refusals)).toEqual(Object.fromEntries(real.expectedRefusals));
      }
      expect(real.transitions).toEqual(model.transitions);
      while (real.held.length > 0) await real.take({ type: 'end', held: 0, how: 'success' });

      const { calls, inFlight, abandoned, rejections, breaker: shown } = guard.snapshot();
      expect([inFlight, real.outcomes.length, clock.timers.refed]).toEqual([0, real.calls, 0]);
      expect(Object.values(calls).reduce((sum, count) => sum + count, 0)).toBe(real.calls);
      expect(real.executions).toBe(real.calls - real.expectedRefusals.size);
      expect(Object.values(rejections).reduce((sum, count) => sum + count, 0)).toBe(calls.rejected);
      expect(abandoned).toBe(calls.cancelled);
      const counted = Object.values(shown?.transitions ?? {}).reduce((sum, count) => sum + count, 0);
      expect(counted).toBe(real.transitions.length);
    }),
    { numRuns: 500 },
  );
});

test('a breaker is in the same state after a restart, and lets a trial through at the same time', async () => {
  await fc.assert(
    fc.asyncProperty(rules, fc.array(step, { maxLength: 40 }), async (given, steps) => {
      const real = new Driven(given);
      for (const action of steps) await real.take(action);
      const saved: unknown = JSON.parse(JSON.stringify(real.breaker));
      const restarted = new Driven(given);
      restarted.clock.shiftEpoch(real.clock.now());
      restarted.breaker.restore(saved);
      const { state, retryAfterMs } = real.breaker;
      expect(restarted.breaker.state).toBe(state === 'half_open' ? 'open' : state);
      expect(restarted.breaker.retryAfterMs).toBe(state === 'half_open' ? 0 : retryAfterMs);
      expect(state !== 'closed' || restarted.breaker.toJSON()).toEqual(state !== 'closed' || saved);
    }),
    { numRuns: 300 },
  );
});
