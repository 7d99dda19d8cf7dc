import { type Fired, named } from '../alert.ts';
import { LABEL, SERIES } from '../queries.ts';

/** The guard that every test of an alert is about. */
const GUARD = { [LABEL.service]: 'shop', [LABEL.guard]: 'payments' };

/** @returns a series of the guard */
export function ofGuard(series: string, labels: Readonly<Record<string, string>> = {}): string {
  return named(series, { ...GUARD, ...labels });
}

/** @returns the calls of the guard that ended in one way */
export function calls(outcome: string, origin = 'live'): string {
  return ofGuard(SERIES.calls, { [LABEL.outcome]: outcome, [LABEL.origin]: origin });
}

/** @returns the attempts of the guard that ended in one way */
export function attempts(outcome: string): string {
  return ofGuard(SERIES.attempts, { [LABEL.outcome]: outcome });
}

/** @returns the refusals of one of the guard's policies */
export function rejections(policy: string, reason: string): string {
  return ofGuard(SERIES.rejections, { [LABEL.policy]: policy, [LABEL.reason]: reason });
}

/** @returns the alert about the guard, with what stands for `$value` */
export function guardFires(value = ''): Fired {
  return { labels: GUARD, value };
}

/** @returns a series of the service, from one of its instances */
export function ofService(series: string, labels: Readonly<Record<string, string>> = {}): string {
  return named(series, {
    [LABEL.service]: 'shop',
    [LABEL.host]: 'node-1',
    [LABEL.instance]: 'one',
    ...labels,
  });
}

/** @returns the alert about the service, with further labels and what stands for `$value` */
export function serviceFires(value = '', labels: Readonly<Record<string, string>> = {}): Fired {
  return { labels: { [LABEL.service]: 'shop', ...labels }, value };
}
