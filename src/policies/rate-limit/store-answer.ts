import { KeelsonError } from '../../core/errors.ts';
import { show } from '../../core/options.ts';
import type { Taken } from './limiter-store.ts';

const MILLISECONDS = 'to be a finite number of milliseconds, 0 or more';

/**
 * Checks what a store answered. The types do not bind a store that is written in JavaScript, or that reads its answers from elsewhere.
 * @param method the method that answered, for the message
 * @returns the answer; a refusal asks to wait for at least one millisecond, the shortest time that a timer can wait
 * @throws {KeelsonError} `ERR_KEELSON_STORE_ANSWER` with what was expected and what came
 */
export function checkedAnswer(answer: unknown, method: 'take' | 'takeFromWindow'): Taken {
  if (typeof answer !== 'object' || answer === null) throw malformed(method, '', 'to be an object', answer);
  const { granted, retryAfterMs, remaining, at }: { readonly [Key in keyof Taken]?: unknown } = answer;
  if (typeof granted !== 'boolean') throw malformed(method, 'granted', 'to be true or false', granted);
  if (!isCount(retryAfterMs)) throw malformed(method, 'retryAfterMs', MILLISECONDS, retryAfterMs);
  if (!isCount(remaining))
    throw malformed(method, 'remaining', 'to be a finite number, 0 or more', remaining);
  if (at !== undefined && !Number.isFinite(at))
    throw malformed(method, 'at', 'to be left out or a finite number', at);
  const taken = answer as Taken;
  return granted || retryAfterMs >= 1 ? taken : { ...taken, retryAfterMs: 1 };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function malformed(method: string, field: string, expected: string, got: unknown): KeelsonError {
  const what = field === '' ? `the answer of \`${method}\`` : `\`${field}\` in the answer of \`${method}\``;
  return new KeelsonError('ERR_KEELSON_STORE_ANSWER', `Expected ${what} ${expected}, got ${show(got)}.`, {
    hint: 'Let the store answer as `Taken` describes it; `limiterStoreContract` of `keelson/testing` checks a store.',
  });
}
