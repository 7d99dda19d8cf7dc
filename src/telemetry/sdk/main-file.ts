import { isAbsolute } from 'node:path';

/** Options with which Node takes the script from the command line; the arguments behind it are the script's. */
const EVALUATES = /^(?:-e|-p|-pe|--eval|--print)(?:=|$)/;

/** The part of `process` that {@link mainFile} reads; whatever was loaded before may have changed it. */
export interface CommandLine {
  readonly argv?: unknown;
  readonly execArgv?: unknown;
}

/**
 * The application's main file.
 * @returns an absolute path, or `undefined` where there is no main file: the script comes from standard input or from the command line. There
 * `argv[1]` is `-`, or the first argument of the script, which may be a password.
 */
export function mainFile({ argv, execArgv }: CommandLine): string | undefined {
  const options: readonly unknown[] = Array.isArray(execArgv) ? execArgv : [];
  if (options.some((option) => typeof option === 'string' && EVALUATES.test(option))) return undefined;
  const main: unknown = Array.isArray(argv) ? argv[1] : undefined;
  return typeof main === 'string' && isAbsolute(main) ? main : undefined;
}
