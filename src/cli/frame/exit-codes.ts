/**
 * How the CLI ends: a closed set. From 128 on: ended by signal number N - 128, as shells count; 70 is EX_SOFTWARE of `sysexits.h`.
 */
export const EXIT = {
  ok: 0,
  unwell: 1,
  usage: 2,
  internal: 70,
  interrupted: 130,
  brokenPipe: 141,
  terminated: 143,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each code says; the README's table. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'done, and what was asked about is well',
  unwell: 'what was asked about is not well, or a part of the work failed',
  usage: 'the command line cannot be understood; nothing was done',
  internal: 'a defect of Keelson itself',
  interrupted: 'ended by SIGINT (Ctrl-C); what was done so far is said',
  brokenPipe: 'whoever read the output went away, such as `head`',
  terminated: 'ended by SIGTERM',
};

/** Why a command shall stop: the reason of its abort signal. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  readonly exitCode: ExitCode;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`Ended by ${signal}.`);
    this.exitCode = signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
  }
}
