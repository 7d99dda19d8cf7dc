import { OTHER } from './semconv.ts';

const MAX_LENGTH = 80;

/**
 * `error.type` as the semantic conventions want it: stable and of few values. An error's `code` where it has one, else its class.
 * @returns such as `ECONNREFUSED`, `ERR_KEELSON_TIMEOUT`, `TypeError`; `_OTHER` for what is no error
 */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return OTHER;
  if ('code' in error && typeof error.code === 'string' && error.code.length > 0)
    return error.code.slice(0, MAX_LENGTH);
  const name = error.name === 'Error' ? error.constructor.name : error.name;
  return name ? name.slice(0, MAX_LENGTH) : OTHER;
}

/** Lets through so many distinct values; the rest become `_OTHER`. */
export class BoundedLabels {
  readonly #limit: number;
  readonly #known = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(value: string): string {
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#limit) return OTHER;
    this.#known.add(value);
    return value;
  }
}
