import { styleText } from 'node:util';
import { CommanderError } from 'commander';
import { ConfigError, KeelsonError } from '../../core/errors.ts';
import { EXIT } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { fileHint, isFileError } from './file-error.ts';
import { printable } from './printable.ts';

/** An error as the user gets it: with `--json` these are its fields. */
export interface ShownError {
  readonly exitCode: ExitCode;
  /** Stable, such as `ERR_KEELSON_USAGE`. */
  readonly code: string;
  readonly message: string;
  /** One for each thing that is wrong, where there can be several. */
  readonly problems?: readonly string[];
  /** What to do. */
  readonly hint?: string;
}

const HELP = 'Run it with --help to see what it takes.';

/** What an error that ended a command means to the user. */
export function shownError(error: unknown): ShownError {
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, '').replace(/\n/, ' ');
    return { exitCode: EXIT.usage, code: 'ERR_KEELSON_USAGE', message: sentence(message), hint: HELP };
  }
  if (error instanceof ConfigError) {
    const { message, problems } = error;
    return { exitCode: EXIT.usage, code: 'ERR_KEELSON_USAGE', message, problems, hint: HELP };
  }
  if (error instanceof KeelsonError) {
    const { code, message, hint } = error;
    return { exitCode: EXIT.unwell, code, message, ...(hint !== undefined && { hint }) };
  }
  if (isFileError(error)) {
    const hint = fileHint(error, 'Check the path: --home and KEELSON_HOME name a folder of state.');
    return {
      exitCode: EXIT.unwell,
      code: 'ERR_KEELSON_FILE',
      message: `Cannot use ${printable(error.path)}: ${error.code}.`,
      hint,
    };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    exitCode: EXIT.internal,
    code: 'ERR_KEELSON_INTERNAL',
    message,
    hint: 'This is a defect of Keelson: please report it with this text and the command line.',
  };
}

/** The lines that a person reads. */
export function humanError(
  { message, problems, hint }: Omit<ShownError, 'exitCode'>,
  colour: boolean,
): string {
  const lead = colour ? styleText('red', 'error:', { validateStream: false }) : 'error:';
  const lines = problems !== undefined && problems.length > 1 ? problems : [message];
  return `${lines.map((line) => `${lead} ${line}\n`).join('')}${hint === undefined ? '' : `${hint}\n`}`;
}

function sentence(text: string): string {
  const upper = `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return /[.)?]$/.test(upper) ? upper : `${upper}.`;
}
