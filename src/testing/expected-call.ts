import { AssertionError } from 'node:assert';
import type { Attributes } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { OptionChecker } from '../core/options.ts';
import type { Origin, Outcome } from '../core/outcome.ts';
import * as semconv from '../signals/semconv.ts';

/** What a guarded call should be like; what is left out does not matter. */
export interface ExpectedCall {
  readonly guard?: string;
  readonly operation?: string;
  readonly outcome?: Outcome;
  readonly origin?: Origin;
  readonly attempts?: number;
  /** The class or code of the error, as telemetry names it. */
  readonly errorType?: string;
  /** Why a retry was not made, or what else held the call back. */
  readonly suppressed?: string;
}

const ATTRIBUTES: Readonly<Record<keyof ExpectedCall, string>> = {
  guard: semconv.ATTR_GUARD_NAME,
  operation: semconv.ATTR_OPERATION_NAME,
  outcome: semconv.ATTR_OUTCOME,
  origin: semconv.ATTR_ORIGIN,
  attempts: semconv.ATTR_ATTEMPTS,
  errorType: semconv.ATTR_ERROR_TYPE,
  suppressed: semconv.ATTR_SUPPRESSED_REASON,
};
const FIELDS = Object.keys(ATTRIBUTES) as readonly (keyof ExpectedCall)[];

/** @throws {ConfigError} for a field that no call has: it would be ignored, and the assertion would hold for any call */
export function checkExpected(expected: ExpectedCall): void {
  const check = new OptionChecker('expectCall');
  check.keys(expected, FIELDS);
  check.done();
}

/** The spans of guarded calls; those of attempts are not among them. */
export function guardedCalls(spans: readonly ReadableSpan[]): ReadableSpan[] {
  return spans.filter(({ attributes }) => attributes[semconv.ATTR_ATTEMPTS] !== undefined);
}

/** Those of `calls` that are as expected. */
export function callsLike(calls: readonly ReadableSpan[], expected: ExpectedCall): ReadableSpan[] {
  return calls.filter((call) =>
    FIELDS.every((field) => expected[field] === undefined || fieldOf(call, field) === expected[field]),
  );
}

/** The calls as an assertion's message lists them. */
export function describeCalls(calls: readonly ReadableSpan[]): string {
  if (calls.length === 0) return 'No guarded call was recorded.';
  const lines = calls.map((call) =>
    JSON.stringify(Object.fromEntries(FIELDS.map((field) => [field, fieldOf(call, field)]))),
  );
  return `Recorded:\n  ${lines.join('\n  ')}`;
}

/**
 * The value of the one point with these attributes.
 * @throws {AssertionError} if there is not exactly one
 */
export function valueOf(
  points: readonly { readonly attributes: Attributes; readonly value: unknown }[],
  attributes: Attributes,
  metric: string = 'the metric',
): unknown {
  const wanted = Object.entries(attributes);
  const [only, ...more] = points.filter((point) =>
    wanted.every(([key, value]) => point.attributes[key] === value),
  );
  if (only && more.length === 0) return only.value;
  const count = only ? more.length + 1 : 0;
  const all = points.map((point) => `\n  ${JSON.stringify(point.attributes)}`).join('') || 'none';
  const what = `one point of ${metric} with ${JSON.stringify(attributes)}`;
  throw unexpected(`Expected ${what}, got ${count}. Points: ${all}`, count, 1);
}

/** An error that every test runner shows well. */
export function unexpected(message: string, actual: unknown, expected: unknown): AssertionError {
  return new AssertionError({ message, actual, expected });
}

function fieldOf(call: ReadableSpan, field: keyof ExpectedCall): unknown {
  return call.attributes[ATTRIBUTES[field]];
}
