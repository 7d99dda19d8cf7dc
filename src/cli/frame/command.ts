import { OptionChecker } from '../../core/options.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Output } from './output.ts';
import type { Given, Parameter, ParametersOf } from './parameters.ts';
import type { CliPorts } from './ports.ts';
import type { Progress } from './progress.ts';

/** What a command works with. */
export interface CommandContext extends Pick<
  CliPorts,
  'about' | 'env' | 'cwd' | 'clock' | 'random' | 'signal'
> {
  readonly output: Output;
  readonly progress: Progress;
}

/** A command's work. It ends soon after `context.signal` is aborted, having said what was done. */
export type Run<Input> = (context: CommandContext, input: Input) => Promise<ExitCode>;

/** A command as its area declares it. Nothing of its work is loaded before it runs. */
export interface CommandDefinition<Input> {
  readonly name: string;
  /** One line, as the list of commands shows it. */
  readonly summary: string;
  /** What else its `--help` says: effects, files, what its exit code stands for. */
  readonly details?: string;
  /** Whole command lines. */
  readonly examples: readonly string[];
  readonly parameters: ParametersOf<Input>;
  readonly load: () => Promise<Run<Input>>;
}

/** A command that can be called with what the command line gave. */
export interface Command extends Omit<CommandDefinition<never>, 'parameters' | 'load'> {
  readonly parameters: readonly (readonly [key: string, Parameter<unknown>])[];
  /**
   * @param title how messages call it: `keelson telemetry replay`
   * @throws {ConfigError} with every parameter that means nothing
   */
  run(context: CommandContext, title: string, given: ReadonlyMap<string, Given>): Promise<ExitCode>;
}

/** Commands that belong together: `keelson <area> <command>`. */
export interface Area {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly Command[];
}

/** Ties a definition to its input's type, so that commands of all inputs fit into one list. */
export function defineCommand<Input extends object>({
  parameters,
  load,
  ...shown
}: CommandDefinition<Input>): Command {
  const list = Object.entries<Parameter<unknown>>(parameters);
  return {
    ...shown,
    parameters: list,
    async run(context, title, given) {
      const checker = new OptionChecker(title);
      const now = context.clock.epoch();
      const input = Object.fromEntries(
        list.map(([key, parameter]) => [key, parameter.read(given.get(key), { checker, now })]),
      );
      checker.done();
      const run = await load();
      return run(context, input as Input);
    },
  };
}
