/** What `/proc/<pid>/stat` shows of a process. A field that cannot be read is `undefined`. */
export interface ProcessStat {
  /** One letter, such as `S` for sleeping and `Z` for a zombie. */
  readonly state: string | undefined;
  readonly threads: number | undefined;
  /** Clock ticks between the start of the machine and that of the process. Kept as text: the number can exceed 2^53. */
  readonly startTicks: string | undefined;
}

// proc_pid_stat(5) numbers the fields from 1. The third one follows the name of the program.
const FIRST_AFTER_NAME = 3;
const STATE = 3;
const THREADS = 20;
const START_TICKS = 22;

const DIGITS = /^\d+$/;

/**
 * Parses `/proc/<pid>/stat`, and never throws. The name of the program can hold blanks and parentheses,
 * so this function counts the fields from the last closing parenthesis on.
 * Source: proc_pid_stat(5).
 */
export function processStatOf(text: string): ProcessStat {
  const nameEnd = text.lastIndexOf(')');
  const fields =
    nameEnd === -1
      ? []
      : text
          .slice(nameEnd + 1)
          .trim()
          .split(/\s+/);
  const digits = (field: number): string | undefined => {
    const value = fields[field - FIRST_AFTER_NAME];
    return value !== undefined && DIGITS.test(value) ? value : undefined;
  };
  const threads = Number(digits(THREADS));
  return {
    state: fields[STATE - FIRST_AFTER_NAME] || undefined,
    threads: Number.isSafeInteger(threads) ? threads : undefined,
    startTicks: digits(START_TICKS),
  };
}
