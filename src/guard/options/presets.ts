import { ConfigError } from '../../core/errors.ts';
import { nearestName } from '../../core/options.ts';
import { isConnectionFailure } from './connection-failure.ts';
import { isFailureStatus, isHttpFailure } from './http-failure.ts';
import type { GuardOptions, PresetName } from './options.ts';

/** The same rule for answers that are given, as that of `fetch` is. */
function isFailedAnswer(response: { readonly status?: unknown } | null | undefined): boolean {
  const status = response?.status;
  return typeof status === 'number' && isFailureStatus(status);
}

/**
 * Errors of databases after which the same work may well succeed: lost connections (PostgreSQL's class 08 and 57P01-57P03), failed
 * serialisation and deadlocks (40001, 40P01), busy files of SQLite. Source: PostgreSQL documentation, appendix A.
 */
const TRANSIENT_DATABASE = /^(08...|40001|40P01|57P0[123]|SQLITE_BUSY|ECONNRESET|EPIPE)$/;

function isTransientDatabaseError(error: unknown): boolean {
  if (isConnectionFailure(error)) return true;
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' && TRANSIENT_DATABASE.test(code);
}

/** What the services of the earlier systems share: 5 failures open the circuit for 120 s, 3 successes close it; delays of 1 s, doubled, up to 60 s. */
const SERVICE = {
  timeout: { attempt: '10s', total: '1m' },
  retry: {
    retries: 3,
    delay: '1s',
    factor: 2,
    maxDelay: '60s',
    jitter: 0.1,
    budget: {},
    retryIf: isHttpFailure,
  },
  breaker: { failures: 5, successes: 3, openFor: '2m', failureIf: isHttpFailure },
  bulkhead: { concurrent: 10, queue: 20 },
  cache: { ttl: '1h', staleIfError: '1d' },
  failedResult: isFailedAnswer,
} as const satisfies GuardOptions;

/** Every preset by its name, frozen: all guards share them. {@link preset} gives one and refuses names that do not exist. */
export const presets: Readonly<Record<PresetName, GuardOptions>> = frozen({
  'standard-http': {
    timeout: { attempt: '5s', total: '30s' },
    retry: {
      retries: 3,
      delay: '500ms',
      maxDelay: '5s',
      jitter: 0.25,
      budget: {},
      retryIf: isHttpFailure,
    },
    breaker: {
      failureRate: 0.5,
      window: '30s',
      minimumCalls: 20,
      openFor: '10s',
      openFactor: 2,
      openJitter: 0.1,
      failureIf: isHttpFailure,
    },
    bulkhead: { concurrent: 100, queue: 100, queueTimeout: '5s' },
    failedResult: isFailedAnswer,
  },
  database: {
    timeout: { attempt: '5s', total: '20s' },
    retry: {
      retries: 2,
      delay: '50ms',
      maxDelay: '1s',
      jitter: 0.5,
      budget: {},
      retryIf: isTransientDatabaseError,
    },
    breaker: { failures: 10, successes: 2, openFor: '10s', failureIf: isTransientDatabaseError },
    bulkhead: { concurrent: 20, queue: 200, queueTimeout: '5s' },
  },
  queue: {
    timeout: { attempt: '30s', total: '5m' },
    retry: { retries: 5, delay: '1s', factor: 2, maxDelay: '30s', jitter: 0.2, budget: {} },
    breaker: { failures: 5, successes: 1, openFor: '30s', openFactor: 2, maxOpenFor: '5m' },
    bulkhead: { concurrent: 10, queue: 1_000 },
  },
  'google-drive': { ...SERVICE, rateLimit: { limit: 60, per: '1m', maxWait: '30s' } },
  'google-photos': { ...SERVICE, rateLimit: { limit: 30, per: '1m', maxWait: '30s' } },
  github: { ...SERVICE, rateLimit: { limit: 30, per: '1m', maxWait: '30s' } },
  pexels: {
    ...SERVICE,
    breaker: { failures: 3, successes: 2, openFor: '1m', failureIf: isHttpFailure },
    rateLimit: { limit: 200, per: '1h', maxWait: '30s' },
  },
  http: {
    ...SERVICE,
    breaker: { failures: 10, successes: 2, openFor: '1m', failureIf: isHttpFailure },
    rateLimit: { limit: 100, per: '1m', maxWait: '30s' },
  },
});

/**
 * Options that fit a kind of dependency, as `guard(name, { preset: 'github' })` has them. To change some of them, write them beside `preset`: they
 * are merged. A policy that is written beside a spread takes the whole place of the preset's.
 * @param name the preset, such as `standard-http`, `database` or `github`
 * @returns options for `guard(name, options)`; the same object for each call
 * @throws {ConfigError} `ERR_KEELSON_CONFIG` for a name that no preset has, which types do not see in plain JavaScript
 */
export function preset(name: PresetName): GuardOptions {
  if (isPresetName(name)) return presets[name];
  throw new ConfigError('preset', [`There is no preset \`${String(name)}\`. ${presetProblem(name)}`]);
}

/** Whether a preset has this name. */
export function isPresetName(name: unknown): name is PresetName {
  return typeof name === 'string' && Object.hasOwn(presets, name);
}

/** Names the preset that was probably meant, or all of them. */
export function presetProblem(name: unknown): string {
  const known = Object.keys(presets);
  const near = nearestName(String(name), known);
  return near ? `Did you mean \`${near}\`?` : `Known: ${known.join(', ')}.`;
}

/** Freezes an object and the objects in it. Functions stay as they are. */
function frozen<T extends object>(value: T): T {
  for (const inner of Object.values(value) as unknown[])
    if (typeof inner === 'object' && inner !== null) frozen(inner);
  return Object.freeze(value);
}
