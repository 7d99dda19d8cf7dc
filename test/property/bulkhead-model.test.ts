import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { RejectedError } from '../../src/core/errors.ts';
import type { CallOutcome } from '../../src/core/outcome.ts';
import type { Guard, GuardSnapshot } from '../../src/guard/index.ts';
import { createKeelson } from '../../src/guard/index.ts';
import { FakeClock, settlePromises } from '../../src/testing/index.ts';
import type { Deferred } from '../support/deferred.ts';
import { deferred } from '../support/deferred.ts';
import type { BulkheadRules } from './bulkhead-model.ts';
import { BulkheadModel } from './bulkhead-model.ts';

const rules: fc.Arbitrary<BulkheadRules> = fc.record({
  concurrent: fc.integer({ min: 1, max: 3 }),
  queue: fc.integer({ min: 0, max: 4 }),
  queueTimeout: fc.constantFrom(undefined, 7, 15),
  attemptTimeout: fc.constantFrom(undefined, undefined, 12, 30),
});

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('call' as const) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('succeed' as const), call: fc.nat(60) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('fail' as const), call: fc.nat(60) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('abort' as const), call: fc.nat(60) }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('advance' as const), ticks: fc.integer({ min: 1, max: 10 }) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Guarded calls whose functions end when they are told to. */
class Driven {
  readonly clock = new FakeClock();
  readonly endings = new Map<number, string>();
  readonly started: number[] = [];
  readonly gates: Deferred<string>[] = [];
  readonly callers: AbortController[] = [];
  mostRunning = 0;
  readonly #running = new Set<number>();
  readonly #guard: Guard;

  constructor({ concurrent, queue, queueTimeout, attemptTimeout }: BulkheadRules) {
    const keelson = createKeelson({ clock: this.clock, warn: () => {} });
    this.#guard = keelson.guard('payments', {
      bulkhead: { concurrent, queue, ...(queueTimeout === undefined ? {} : { queueTimeout }) },
      ...(attemptTimeout === undefined ? {} : { timeout: { attempt: attemptTimeout } }),
    });
  }

  get snapshot(): GuardSnapshot {
    return this.#guard.snapshot();
  }

  call(id: number): void {
    const gate = deferred<string>();
    // It may fail before its function is called.
    gate.promise.catch(() => {});
    const caller = new AbortController();
    this.gates.push(gate);
    this.callers.push(caller);
    const run = ({ signal }: { signal: AbortSignal }): Promise<string> => {
      this.started.push(id);
      this.#running.add(id);
      this.mostRunning = Math.max(this.mostRunning, this.#running.size);
      const stop = (): boolean => this.#running.delete(id);
      signal.addEventListener('abort', stop);
      return gate.promise.finally(stop);
    };
    void this.#follow(id, this.#guard.outcome('charge', run, { signal: caller.signal }));
  }

  take(action: Exclude<Step, { type: 'call' | 'advance' }>): void {
    if (action.type === 'succeed') this.gates[action.call]?.resolve('ok');
    else if (action.type === 'fail') this.gates[action.call]?.reject(new Error('no'));
    else this.callers[action.call]?.abort('left');
  }

  async #follow(id: number, settled: Promise<CallOutcome<string>>): Promise<void> {
    const { outcome, error } = await settled;
    const reason = error instanceof RejectedError ? ` ${error.reason}` : '';
    this.endings.set(id, `${outcome}${reason} at ${this.clock.now()}`);
  }

  async drain(): Promise<void> {
    for (const gate of this.gates) {
      gate.resolve('ok');
      await settlePromises();
    }
  }
}

/** Nothing runs, nothing waits, no slot is lost, nothing keeps the process alive, and every call has ended once. */
function expectNothingLeft(real: Driven, calls: number): void {
  const { bulkhead, calls: outcomes, inFlight, abandoned } = real.snapshot;
  expect([bulkhead?.active, bulkhead?.queued, inFlight, abandoned, real.clock.timers.refed]).toEqual([
    0, 0, 0, 0, 0,
  ]);
  expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(calls);
  expect(real.endings.size).toBe(calls);
}

test('a bulkhead admits, queues and refuses as its model does, whatever happens to calls and callers', async () => {
  await fc.assert(
    fc.asyncProperty(rules, fc.array(step, { maxLength: 60 }), async (given, steps) => {
      const model = new BulkheadModel(given);
      const real = new Driven(given);
      let calls = 0;
      for (const action of steps) {
        if (action.type === 'call') {
          model.call(calls);
          real.call(calls);
          calls += 1;
        } else if (action.type === 'advance') {
          model.advance(action.ticks * 2);
          await real.clock.advance(action.ticks * 2);
        } else if (action.call < calls) {
          if (action.type === 'abort') model.abort(action.call);
          else if (model.started.includes(action.call))
            model.settle(action.call, action.type === 'succeed' ? 'success' : 'failure');
          if (action.type === 'abort' || model.started.includes(action.call)) real.take(action);
        }
        await settlePromises();
        expect(Object.fromEntries(real.endings)).toEqual(Object.fromEntries(model.endings));
        expect(real.started).toEqual(model.started);
        const { bulkhead } = real.snapshot;
        expect([bulkhead?.active, bulkhead?.queued]).toEqual([model.running.length, model.queue.length]);
      }
      await real.drain();
      expectNothingLeft(real, calls);
    }),
    { numRuns: 400 },
  );
});

test('a bulkhead loses no slot and oversteps no limit when everything happens in the same turn', async () => {
  await fc.assert(
    fc.asyncProperty(
      rules,
      fc.array(fc.array(step, { minLength: 1, maxLength: 8 }), { maxLength: 12 }),
      async (given, turns) => {
        const real = new Driven(given);
        let calls = 0;
        for (const turn of turns) {
          for (const action of turn) {
            if (action.type === 'call') {
              real.call(calls);
              calls += 1;
            } else if (action.type === 'advance') real.clock.block(action.ticks * 2);
            else if (action.call < calls) real.take(action);
          }
          await real.clock.advance(1);
          const { bulkhead } = real.snapshot;
          expect(bulkhead?.queued).toBeLessThanOrEqual(given.queue);
          expect(bulkhead?.active).toBeLessThanOrEqual(given.concurrent);
        }
        await real.drain();
        expectNothingLeft(real, calls);
        expect(real.mostRunning).toBeLessThanOrEqual(given.concurrent);
      },
    ),
    { numRuns: 400 },
  );
});
