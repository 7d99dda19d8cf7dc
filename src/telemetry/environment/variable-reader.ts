import { MAX_TIMER_MS } from '../../core/time/duration.ts';
import type { Warn } from '../warnings/warner.ts';

/** Variables of an environment, such as `process.env`. */
export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads single variables. As the specification asks, an empty one counts as absent; one that cannot be used gives a warning and `undefined`,
 * so that the caller's default holds. The value of a variable is only shown where it cannot be a secret.
 */
export class VariableReader {
  readonly #env: Variables;
  readonly #warn: Warn;

  constructor(env: Variables, warn: Warn) {
    this.#env = env;
    this.#warn = warn;
  }

  text(name: string): string | undefined {
    const value = this.#env[name]?.trim();
    return value === '' ? undefined : value;
  }

  boolean(name: string): boolean | undefined {
    const value = this.text(name)?.toLowerCase();
    if (value === undefined) return undefined;
    if (value === 'true' || value === 'false') return value === 'true';
    return this.#bad(name, '`true` or `false`', value);
  }

  /** @returns a number from `least` to `most`, both allowed */
  number(name: string, least: number, most: number): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (Number.isFinite(number) && number >= least && number <= most) return number;
    return this.#bad(name, `a number from ${least} to ${most}`, value);
  }

  /** @returns a whole number from `least` to `most`, both allowed */
  integer(name: string, least: number, most: number): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (Number.isSafeInteger(number) && number >= least && number <= most) return number;
    return this.#bad(name, `a whole number from ${least} to ${most}`, value);
  }

  /** @returns whole milliseconds that a timer can hold */
  milliseconds(name: string, least: number): number | undefined {
    return this.integer(name, least, MAX_TIMER_MS);
  }

  choice<const T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.text(name)?.toLowerCase();
    if (value === undefined) return undefined;
    const found = choices.find((choice) => choice === value);
    return found ?? this.#bad(name, `one of ${choices.join(', ')}`, value);
  }

  /** @returns the known names of a comma-separated list; unknown ones are left out with a warning; `undefined` where it is not set */
  list<const T extends string>(name: string, choices: readonly T[]): readonly T[] | undefined {
    const names = this.names(name);
    if (names === undefined) return undefined;
    const known = choices.filter((choice) => names.includes(choice));
    const unknown = names.filter((each) => !choices.some((choice) => choice === each));
    if (unknown.length > 0) this.#bad(name, `names out of ${choices.join(', ')}`, unknown.join(','));
    return known;
  }

  /** @returns names between commas, in small letters, whatever they are */
  names(name: string): readonly string[] | undefined {
    return this.text(name)
      ?.split(',')
      .map((each) => each.trim().toLowerCase())
      .filter((each) => each !== '');
  }

  #bad(name: string, expected: string, got: string): undefined {
    this.#warn(
      `environment:${name}`,
      `Expected ${name} to be ${expected}, got \`${got.slice(0, 80)}\`. It is ignored.`,
    );
    return undefined;
  }
}
