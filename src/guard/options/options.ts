import type { PolicyOptions, ResolvedPolicies } from './policies.ts';

/** The names of the presets. */
export type PresetName =
  | 'standard-http'
  | 'database'
  | 'queue'
  | 'google-drive'
  | 'google-photos'
  | 'github'
  | 'pexels'
  | 'http';

/** What a guard does with a call. A policy that is left out is off, unless the preset has it; one that is given as `{}` has its defaults. */
export interface GuardOptions<F = unknown> extends PolicyOptions<F> {
  /**
   * Options that fit a kind of dependency. Policies that are given beside it are merged into its own key by key, and `false` removes one.
   * @defaultValue none
   */
  readonly preset?: PresetName;
  /**
   * Values of the function that count as failures, such as `(response) => response.status >= 500`: retried, counted, and given in the end. One
   * that throws means a failure that is not retried.
   */
  readonly failedResult?: (value: never) => boolean;
  /**
   * Frees what a value holds that no caller gets: a failed result before its retry, and the result of a run that was given up. Keelson waits for it
   * at most one second before the retry. If it throws, Keelson warns once and goes on. It takes the place of the default for every value.
   * @defaultValue reads a body of at most 128 KiB to its end within one second, and cancels any other
   */
  readonly dispose?: (value: never) => unknown;
  /** The `service.name` of the dependency: spans carry it as `service.peer.name`, 1 to 120 characters. @defaultValue not named */
  readonly peer?: string;
  /**
   * Whether calls belong to the guarded call within which they are made; a call's own `inherit` overrides it. `false` is for a guard whose calls several
   * callers share, such as one around the token that all requests wait for.
   * @defaultValue true
   */
  readonly inherit?: boolean;
  readonly spans?: SpanOptions;
  readonly keys?: KeyOptions;
  /**
   * Makes errors of warnings: options that do not fit together, and a name that is created again with other options.
   * @defaultValue false
   */
  readonly strict?: boolean;
}

/** What is traced beyond the span of the call itself. */
export interface SpanOptions {
  /** `retried`: attempts have spans once there is more than one. `all`: every attempt has one. @defaultValue 'retried' */
  readonly attempts?: 'retried' | 'all';
}

/** State for each key, by `guard.for(key)`. */
export interface KeyOptions {
  /**
   * Keys that have state: 1 to 1,000,000. Beyond it the least recently used key that is idle loses its state; if none is idle, new keys share one.
   * @defaultValue 1000
   */
  readonly max?: number;
}

/** {@link GuardOptions} with every default filled in. */
export interface ResolvedGuard extends ResolvedPolicies {
  readonly failedResult: ((value: never) => boolean) | undefined;
  readonly dispose: ((value: never) => unknown) | undefined;
  readonly peer: string | undefined;
  readonly inherit: boolean;
  readonly spanForEveryAttempt: boolean;
  readonly maxKeys: number;
  readonly strict: boolean;
}
