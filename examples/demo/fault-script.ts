import { seededRandom } from 'keelson/testing';
import type { Condition } from '../shop/backend.ts';

/** The services behind the storefront. */
export const DEPENDENCIES = ['payments', 'inventory', 'shipping'] as const;

export type Dependency = (typeof DEPENDENCIES)[number];

/** The phases, in their order. */
export const PHASES = ['healthy', 'slow', 'failing', 'down', 'recovering'] as const;

export type PhaseName = (typeof PHASES)[number];

/** A stretch of time in which the dependencies behave in one way. */
export interface Phase {
  readonly name: PhaseName;
  /** What is wrong, for people. */
  readonly says: string;
  /** From the start of the run, in milliseconds. */
  readonly offsetMs: number;
  readonly lengthMs: number;
  readonly conditions: Readonly<Record<Dependency, Condition | 'down'>>;
}

type Plan = Readonly<
  Record<
    Dependency,
    'down' | { readonly latencyMs: readonly [number, number]; readonly failureRatio: number }
  >
>;

const QUICK = { latencyMs: [5, 20], failureRatio: 0 } as const;
const CALM = { latencyMs: [15, 40], failureRatio: 0 } as const;

const SCRIPT: Readonly<
  Record<PhaseName, { readonly share: number; readonly says: string; readonly plan: Plan }>
> = {
  healthy: {
    share: 0.18,
    says: 'everything answers',
    plan: { payments: CALM, inventory: QUICK, shipping: QUICK },
  },
  slow: {
    share: 0.2,
    says: 'inventory and payments take longer than the storefront waits',
    plan: {
      payments: { latencyMs: [60, 420], failureRatio: 0.02 },
      inventory: { latencyMs: [120, 700], failureRatio: 0 },
      shipping: { latencyMs: [30, 120], failureRatio: 0 },
    },
  },
  failing: {
    share: 0.2,
    says: 'payments answers nine requests in ten with an error',
    plan: {
      payments: { latencyMs: [20, 60], failureRatio: 0.9 },
      inventory: QUICK,
      shipping: { latencyMs: [10, 40], failureRatio: 0.3 },
    },
  },
  down: {
    share: 0.15,
    says: 'the process of payments is gone',
    plan: { payments: 'down', inventory: QUICK, shipping: QUICK },
  },
  recovering: {
    share: 0.27,
    says: 'payments is started again',
    plan: { payments: { latencyMs: [25, 60], failureRatio: 0.01 }, inventory: QUICK, shipping: QUICK },
  },
};

/**
 * What goes wrong when. The same arguments give the same script.
 * @param seed any whole number
 * @param durationMs length of the whole run, in milliseconds
 */
export function faultScript(seed: number, durationMs: number): readonly Phase[] {
  const random = seededRandom(seed);
  const weights = PHASES.map((name) => SCRIPT[name].share * (0.95 + random() * 0.1));
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  let offsetMs = 0;
  return PHASES.map((name, index) => {
    const { says, plan } = SCRIPT[name];
    const lengthMs = Math.round(((weights[index] ?? 0) / whole) * durationMs);
    const conditions = Object.fromEntries(
      DEPENDENCIES.map((dependency) => {
        const planned = plan[dependency];
        const own = Math.floor(random() * 2 ** 31);
        return [dependency, planned === 'down' ? planned : { ...planned, seed: own }];
      }),
    ) as Phase['conditions'];
    const phase: Phase = { name, says, offsetMs, lengthMs, conditions };
    offsetMs += lengthMs;
    return phase;
  });
}
