import type { DiagLogger } from '@opentelemetry/api';
import { errorLine } from '../../core/error-line.ts';
import { redactText } from '../../core/secret-text.ts';
import type { Warn } from '../warnings/warner.ts';

/** How the API begins what it says to an SDK that registers second. */
const SECOND_REGISTRATION = 'Attempted duplicate registration of API';
const KIND_LENGTH = 80;
const MAX_LENGTH = 300;

/**
 * What is shown of a message: its first value. A component logger puts its namespace there, and what it has to say second.
 * Objects in the second place are left out: they may be whole batches.
 */
function lineOf([first, second]: readonly unknown[]): string {
  const line = textOf(first);
  const isShown = typeof second === 'string' || second instanceof Error;
  return isShown ? `${line.replace(/\.$/, '')}: ${textOf(second)}` : line;
}

const textOf = (value: unknown): string =>
  typeof value === 'string'
    ? redactText(value.split('\n', 1)[0] ?? '').slice(0, MAX_LENGTH)
    : errorLine(value);

/**
 * Writes the SDK's own messages as warnings. Any library hands anything to `diag`, such as an `Error` in place of a text: nothing that it is given
 * makes it throw, since that would end the call of the application.
 */
export function diagLogger(warn: Warn): DiagLogger {
  const say = (...values: readonly unknown[]): void => {
    try {
      const line = lineOf(values);
      if (line.includes(SECOND_REGISTRATION)) {
        warn(
          'later-sdk',
          'Another OpenTelemetry SDK was started in this process and has no effect: Keelson was first and stays in force. ' +
            'Remove the other one, or start this process without keelson/register.',
        );
      } else warn(`sdk:${line.slice(0, KIND_LENGTH)}`, `SDK: ${line}`);
    } catch {
      warn('sdk:unreadable', 'SDK: a message that cannot be read.');
    }
  };
  return { error: say, warn: say, info: say, debug: say, verbose: say };
}
