/**
 * The circuit as a pure state machine. Every state has an epoch; a result that carries an older one comes from a call that started in an
 * earlier state, and changes nothing.
 */
export type CircuitState =
  | { readonly kind: 'closed'; readonly epoch: number }
  | {
      readonly kind: 'open';
      readonly epoch: number;
      /** How often it opened since it was closed last: 1 for the first time. */
      readonly openings: number;
      readonly untilMs: number;
    }
  | {
      readonly kind: 'half_open';
      readonly epoch: number;
      readonly openings: number;
      /** Trials that are running. */
      readonly running: number;
      readonly succeeded: number;
      /** When trials that have not reported by then are given up, so that lost ones cannot hold the circuit here for ever. */
      readonly giveUpMs: number;
    }
  | { readonly kind: 'forced_open'; readonly epoch: number }
  | { readonly kind: 'disabled'; readonly epoch: number };

/** What can happen to a circuit. `trip` is a failure that the closed circuit's rule takes as the last straw. */
export type CircuitInput =
  | { readonly type: 'trip'; readonly epoch: number }
  | { readonly type: 'admit' }
  | { readonly type: 'success'; readonly epoch: number }
  | { readonly type: 'failure'; readonly epoch: number }
  | { readonly type: 'neutral'; readonly epoch: number }
  | { readonly type: 'force_open' }
  | { readonly type: 'disable' }
  | { readonly type: 'reset' };

/** The numbers that the machine needs. */
export interface CircuitRules {
  /** Trials that must succeed before the circuit closes. */
  readonly successes: number;
  /** Milliseconds after which trials are given up. */
  readonly openForMs: number;
  /** Milliseconds that the circuit stays open, for the nth time in a row. */
  readonly openTime: (openings: number) => number;
}

/** Whether a call may run now, and if not, why. */
export type Admission =
  | { readonly admitted: true }
  | {
      readonly admitted: false;
      readonly reason: 'open' | 'half_open' | 'forced_open';
      readonly retryAfterMs?: number;
    };

const ADMITTED: Admission = { admitted: true };

/** Says whether `state` lets a call through at `now`, without changing anything. */
export function admission(state: CircuitState, rules: CircuitRules, now: number): Admission {
  switch (state.kind) {
    case 'closed':
    case 'disabled':
      return ADMITTED;
    case 'forced_open':
      return { admitted: false, reason: 'forced_open' };
    case 'open':
      return now >= state.untilMs
        ? ADMITTED
        : { admitted: false, reason: 'open', retryAfterMs: state.untilMs - now };
    case 'half_open':
      return state.running + state.succeeded < rules.successes || now >= state.giveUpMs
        ? ADMITTED
        : { admitted: false, reason: 'half_open', retryAfterMs: state.giveUpMs - now };
  }
}

/** The state after `input`. An `admit` is given only where {@link admission} allowed it. */
export function transition(
  state: CircuitState,
  input: CircuitInput,
  rules: CircuitRules,
  now: number,
): CircuitState {
  const epoch = state.epoch + 1;
  switch (input.type) {
    case 'force_open':
      return { kind: 'forced_open', epoch };
    case 'disable':
      return { kind: 'disabled', epoch };
    case 'reset':
      return { kind: 'closed', epoch };
    case 'admit':
      return admit(state, rules, now);
    case 'trip':
      return state.kind === 'closed' && input.epoch === state.epoch ? open(epoch, 1, rules, now) : state;
    case 'success':
    case 'failure':
    case 'neutral':
      return state.kind === 'half_open' && input.epoch === state.epoch
        ? afterTrial(state, input.type, rules, now)
        : state;
  }
}

function open(epoch: number, openings: number, rules: CircuitRules, now: number): CircuitState {
  return { kind: 'open', epoch, openings, untilMs: now + rules.openTime(openings) };
}

function admit(state: CircuitState, rules: CircuitRules, now: number): CircuitState {
  const giveUpMs = now + rules.openForMs;
  if (
    state.kind === 'open' ||
    (state.kind === 'half_open' && state.running + state.succeeded >= rules.successes)
  ) {
    const { openings } = state;
    return { kind: 'half_open', epoch: state.epoch + 1, openings, running: 1, succeeded: 0, giveUpMs };
  }
  return state.kind === 'half_open' ? { ...state, running: state.running + 1, giveUpMs } : state;
}

function afterTrial(
  state: Extract<CircuitState, { kind: 'half_open' }>,
  result: 'success' | 'failure' | 'neutral',
  rules: CircuitRules,
  now: number,
): CircuitState {
  if (result === 'failure') return open(state.epoch + 1, state.openings + 1, rules, now);
  const running = state.running - 1;
  if (result === 'neutral') return { ...state, running };
  const succeeded = state.succeeded + 1;
  return succeeded >= rules.successes
    ? { kind: 'closed', epoch: state.epoch + 1 }
    : { ...state, running, succeeded };
}
