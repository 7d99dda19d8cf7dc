import { Command as Program, Option } from 'commander';
import type { Area, Command } from './command.ts';
import { EXIT, EXIT_MEANINGS } from './exit-codes.ts';
import type { OutputOptions } from './output.ts';
import type { Given } from './parameters.ts';

/** Which command was called, with what. */
export interface Call {
  readonly command: Command;
  /** `keelson telemetry status`. */
  readonly title: string;
  readonly given: ReadonlyMap<string, Given>;
  readonly output: OutputOptions;
}

/** What a program is made of. */
export interface ProgramParts {
  readonly entries: readonly (Area | Command)[];
  readonly version: string;
  /** Takes help and version. */
  readonly writeOut: (text: string) => void;
  /** Takes the help that stands in for a missing command. */
  readonly writeErr: (text: string) => void;
  readonly columns: number | undefined;
  readonly onCall: (call: Call) => void;
}

const exitCodeHelp = (): string =>
  [
    'Exit codes:',
    ...Object.entries(EXIT).map(
      ([name, code]) => `  ${String(code).padEnd(4)} ${EXIT_MEANINGS[name as keyof typeof EXIT]}`,
    ),
  ].join('\n');

function describeCommand(command: Command): string {
  const { summary, details } = command;
  const sentence = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  return details === undefined ? sentence : `${sentence}\n\n${details}`;
}

function addCommand(parent: Program, command: Command, onCall: ProgramParts['onCall']): void {
  const program = parent.command(command.name).summary(command.summary).description(describeCommand(command));
  const argumentKeys: string[] = [];
  const optionKeys = new Map<string, string>();
  for (const [key, { kind, syntax, description, repeatable }] of command.parameters) {
    if (kind === 'argument') {
      program.argument(syntax, description);
      argumentKeys.push(key);
      continue;
    }
    const option = new Option(syntax, description);
    // `--header a=1 --header b=2`, not `--header a=1 b=2`, which would swallow arguments.
    if (repeatable) {
      option.argParser<readonly string[] | undefined>((value, before) => [...(before ?? []), value]);
    }
    program.addOption(option);
    optionKeys.set(key, option.attributeName());
  }
  program.addHelpText('after', `\nExamples:\n${command.examples.map((each) => `  $ ${each}`).join('\n')}`);
  program.action(() => {
    const options = program.optsWithGlobals<Record<string, Given>>();
    const given = new Map<string, Given>();
    for (const [key, name] of optionKeys) given.set(key, options[name]);
    for (const [index, key] of argumentKeys.entries()) given.set(key, program.processedArgs[index] as Given);
    const path = parent.name() === 'keelson' ? command.name : `${parent.name()} ${command.name}`;
    onCall({
      command,
      title: `keelson ${path}`,
      given,
      output: { json: options['json'] === true, quiet: options['quiet'] === true },
    });
  });
}

/**
 * The command line as commander understands it. It parses, writes help and suggests names; it neither runs a command nor ends the process:
 * `parse` throws a `CommanderError` for whatever is not a call.
 */
export function makeProgram(parts: ProgramParts): Program {
  const program = new Program('keelson')
    .description('Looks after what Keelson keeps on disk, and checks what reads it.')
    .version(parts.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .option('--json', 'answer in JSON on standard output, errors in JSON on standard error')
    .option('-q, --quiet', 'no progress and no notes on standard error')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: parts.writeOut,
      writeErr: parts.writeErr,
      // Errors are thrown; whoever catches them says them.
      outputError: () => {},
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      getOutHelpWidth: () => parts.columns ?? 100,
      getErrHelpWidth: () => parts.columns ?? 100,
    });
  for (const entry of parts.entries) {
    if (!('commands' in entry)) {
      addCommand(program, entry, parts.onCall);
      continue;
    }
    const area = program.command(entry.name).description(entry.summary);
    for (const command of entry.commands) addCommand(area, command, parts.onCall);
  }
  program.addHelpText('after', `\n${exitCodeHelp()}`);
  return program;
}
