import { ConfigError } from './errors.ts';
import { isThenable } from './execution.ts';

/** Warns once of all that is called `about`. */
export type WarnAbout = (about: string, message: () => string) => void;

/** What a filter of the user's is called, and what holds if it gives no answer. */
export interface FilterRule {
  /** The option, as the user writes it: `retry.retryIf`. */
  readonly name: string;
  readonly otherwise: boolean;
  /** What `otherwise` means, as a sentence. */
  readonly consequence: string;
}

/**
 * Asks a filter of the user's. Every filter is asked here.
 * @param name the option, as the user writes it
 * @throws what the filter throws; {@link ConfigError} if it gives a promise, whose rejection is then handled
 */
export function askFilter<T>(filter: (value: T) => boolean, value: T, name: string): boolean {
  const answer: unknown = filter(value);
  refusePromise(answer, name);
  return Boolean(answer);
}

/** As {@link askFilter}; a filter that gives no answer means `otherwise`. @param warn takes the warning of one that gives a promise */
export function answerOf<T>(
  filter: (value: T) => boolean,
  value: T,
  { name, otherwise, consequence }: FilterRule,
  warn: WarnAbout = () => {},
): boolean {
  try {
    return askFilter(filter, value, name);
  } catch (error) {
    if (error instanceof ConfigError) warn(name, () => `${error.message} ${consequence}`);
    return otherwise;
  }
}

/** @throws {ConfigError} for an answer that is a promise: it would always mean yes */
export function refusePromise(answer: unknown, name: string): void {
  if (!isThenable(answer)) return;
  Promise.resolve(answer).catch(() => {});
  throw new ConfigError(`\`${name}\``, [
    'It gave a promise, which is neither yes nor no. Make it a function that answers at once.',
  ]);
}
