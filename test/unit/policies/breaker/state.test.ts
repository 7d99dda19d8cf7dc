import { describe, expect, test } from 'vitest';
import type { CircuitInput, CircuitState } from '../../../../src/policies/breaker/state.ts';
import { admission, transition } from '../../../../src/policies/breaker/state.ts';

const RULES = { successes: 2, openForMs: 100, openTime: (openings: number) => openings * 100 };
const CLOSED: CircuitState = { kind: 'closed', epoch: 1 };
const OPEN: CircuitState = { kind: 'open', epoch: 2, openings: 1, untilMs: 100 };
const HALF_OPEN: CircuitState = {
  kind: 'half_open',
  epoch: 3,
  openings: 1,
  running: 1,
  succeeded: 0,
  giveUpMs: 200,
};
const FORCED: CircuitState = { kind: 'forced_open', epoch: 4 };
const DISABLED: CircuitState = { kind: 'disabled', epoch: 5 };

describe('a transition of the circuit', () => {
  test.each<[CircuitState, CircuitInput, CircuitState]>([
    [CLOSED, { type: 'trip', epoch: 1 }, { kind: 'open', epoch: 2, openings: 1, untilMs: 150 }],
    [CLOSED, { type: 'trip', epoch: 0 }, CLOSED],
    [CLOSED, { type: 'success', epoch: 1 }, CLOSED],
    [CLOSED, { type: 'admit' }, CLOSED],
    [
      OPEN,
      { type: 'admit' },
      { kind: 'half_open', epoch: 3, openings: 1, running: 1, succeeded: 0, giveUpMs: 150 },
    ],
    [OPEN, { type: 'failure', epoch: 1 }, OPEN],
    [OPEN, { type: 'trip', epoch: 2 }, OPEN],
    [HALF_OPEN, { type: 'admit' }, { ...HALF_OPEN, running: 2, giveUpMs: 150 }],
    [HALF_OPEN, { type: 'success', epoch: 3 }, { ...HALF_OPEN, running: 0, succeeded: 1 }],
    [
      { ...HALF_OPEN, succeeded: 1 },
      { type: 'success', epoch: 3 },
      { kind: 'closed', epoch: 4 },
    ],
    [HALF_OPEN, { type: 'success', epoch: 2 }, HALF_OPEN],
    [HALF_OPEN, { type: 'neutral', epoch: 3 }, { ...HALF_OPEN, running: 0 }],
    [HALF_OPEN, { type: 'failure', epoch: 3 }, { kind: 'open', epoch: 4, openings: 2, untilMs: 250 }],
    [HALF_OPEN, { type: 'failure', epoch: 1 }, HALF_OPEN],
    [{ ...HALF_OPEN, running: 2 }, { type: 'admit' }, { ...HALF_OPEN, epoch: 4, giveUpMs: 150 }],
    [CLOSED, { type: 'force_open' }, { kind: 'forced_open', epoch: 2 }],
    [HALF_OPEN, { type: 'disable' }, { kind: 'disabled', epoch: 4 }],
    [FORCED, { type: 'reset' }, { kind: 'closed', epoch: 5 }],
    [FORCED, { type: 'failure', epoch: 4 }, FORCED],
    [DISABLED, { type: 'failure', epoch: 5 }, DISABLED],
  ])('from %j by %j is %j', (from, input, to) => {
    expect(transition(from, input, RULES, 50)).toEqual(to);
  });
});

describe('admission', () => {
  test.each<[CircuitState, number, unknown]>([
    [CLOSED, 0, { admitted: true }],
    [DISABLED, 0, { admitted: true }],
    [FORCED, 1e9, { admitted: false, reason: 'forced_open' }],
    [OPEN, 40, { admitted: false, reason: 'open', retryAfterMs: 60 }],
    [OPEN, 100, { admitted: true }],
    [HALF_OPEN, 0, { admitted: true }],
    [{ ...HALF_OPEN, running: 2 }, 150, { admitted: false, reason: 'half_open', retryAfterMs: 50 }],
    [{ ...HALF_OPEN, succeeded: 1 }, 150, { admitted: false, reason: 'half_open', retryAfterMs: 50 }],
    [{ ...HALF_OPEN, running: 2 }, 200, { admitted: true }],
  ])('of %j at %d is %j', (state, now, answer) => {
    expect(admission(state, RULES, now)).toEqual(answer);
  });
});
