import { CommanderError } from 'commander';
import { systemCode } from '../../storage/index.ts';
import { suggestCommands } from './command-suggestion.ts';
import type { Area, Command } from './command.ts';
import { EXIT, Interruption } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { Output, wantsColour } from './output.ts';
import type { CliPorts } from './ports.ts';
import { makeProgram } from './program.ts';
import type { Call } from './program.ts';
import { Progress } from './progress.ts';
import { humanError, shownError } from './shown-error.ts';

/** How long a command may take to end once it was asked to. */
const ENDING_MS = 800;

type Entries = readonly (Area | Command)[];

/**
 * Runs one command line.
 * @param args what follows the program's name
 * @param entries areas and commands, in the order of the help
 * @returns the exit code; never rejects
 */
export async function runCli(args: readonly string[], entries: Entries, ports: CliPorts): Promise<ExitCode> {
  // Known before the command line is understood, since its errors are told in the same form.
  const json = args.includes('--json');
  try {
    const call = await parse(args, entries, ports);
    return typeof call === 'number' ? call : await perform(call, ports);
  } catch (error) {
    if (systemCode(error) === 'EPIPE') return EXIT.brokenPipe;
    const interruption: unknown = ports.signal.reason;
    if (interruption instanceof Interruption) return interruption.exitCode;
    return report(error, json, ports);
  }
}

async function parse(args: readonly string[], entries: Entries, ports: CliPorts): Promise<Call | ExitCode> {
  const { about, stdout, stderr } = ports;
  let call: Call | undefined;
  const out: string[] = [];
  const err: string[] = [];
  const program = makeProgram({
    entries,
    version: about.version,
    writeOut: (text) => out.push(text),
    writeErr: (text) => err.push(text),
    columns: stdout.columns,
    onCall: (made) => {
      call = made;
    },
  });
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.unknownCommand') throw unknownCommand(error, args, entries);
    if (!isHelp(error)) throw error;
    if (error.code === 'commander.help' && args.includes('--json')) {
      throw new CommanderError(EXIT.usage, 'commander.missingCommand', 'a command is missing');
    }
  }
  if (out.length > 0) await stdout.write(out.join(''));
  if (err.length > 0) await stderr.write(err.join(''));
  return call ?? (err.length > 0 ? EXIT.usage : EXIT.ok);
}

/** The parser's own suggestion knows the commands of one level only. */
function unknownCommand(error: CommanderError, args: readonly string[], entries: Entries): CommanderError {
  const words = args.filter((each) => !each.startsWith('-'));
  const paths = suggestCommands(words, entries);
  const meant = paths.length > 1 ? `one of ${paths.join(', ')}` : paths[0];
  const [message = ''] = error.message.split('\n');
  const suggestion = meant === undefined ? '' : `\n(Did you mean ${meant}?)`;
  return new CommanderError(error.exitCode, error.code, message + suggestion);
}

/** Help and version are asked for, or stand in for a command that is missing. */
function isHelp({ code }: CommanderError): boolean {
  return code === 'commander.help' || code === 'commander.helpDisplayed' || code === 'commander.version';
}

async function perform(call: Call, ports: CliPorts): Promise<ExitCode> {
  const output = new Output(ports, call.output);
  const progress = new Progress(ports.stderr, ports.clock, !call.output.quiet);
  const ended = endingAfter(ports);
  try {
    const code = await Promise.race([
      call.command.run({ ...ports, output, progress }, call.title, call.given),
      ended.promise,
    ]);
    await progress.end();
    return ports.signal.aborted ? exitCodeOf(ports.signal) : code;
  } catch (error) {
    await progress.end();
    throw error;
  } finally {
    ended.dispose();
  }
}

/** Settles a while after the signal is aborted: a command that does not end by itself is left behind. */
function endingAfter({ signal, clock }: CliPorts): { promise: Promise<ExitCode>; dispose: () => void } {
  const { promise, resolve } = Promise.withResolvers<ExitCode>();
  const onAbort = (): void => {
    clock.setTimer(() => resolve(exitCodeOf(signal)), ENDING_MS).unref();
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return { promise, dispose: () => signal.removeEventListener('abort', onAbort) };
}

function exitCodeOf(signal: AbortSignal): ExitCode {
  const reason: unknown = signal.reason;
  return reason instanceof Interruption ? reason.exitCode : EXIT.interrupted;
}

async function report(error: unknown, json: boolean, { stderr, env }: CliPorts): Promise<ExitCode> {
  const { exitCode, ...shown } = shownError(error);
  try {
    await stderr.write(
      json ? `${JSON.stringify({ error: shown })}\n` : humanError(shown, wantsColour(env, stderr)),
    );
  } catch {
    // Nobody is left to tell; the exit code still says it.
  }
  return exitCode;
}
