/** How a check ended. `warn`: it works, but not as one would think; `skipped`: what it stands on failed, or it was not wanted. */
export type CheckStatus = 'pass' | 'warn' | 'fail' | 'skipped';

/** What a check found. */
export interface CheckResult {
  readonly name: string;
  readonly status: CheckStatus;
  /** What is, in words. */
  readonly detail: string;
  /** What to do, where there is something to do. */
  readonly remedy?: string;
}

export function pass(name: string, detail: string): CheckResult {
  return { name, status: 'pass', detail };
}

export function warn(name: string, detail: string, remedy: string): CheckResult {
  return { name, status: 'warn', detail, remedy };
}

export function fail(name: string, detail: string, remedy: string): CheckResult {
  return { name, status: 'fail', detail, remedy };
}

export function skipped(name: string, why: string): CheckResult {
  return { name, status: 'skipped', detail: why };
}
