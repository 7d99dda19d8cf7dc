import { NOT_SHOWN } from '../../core/options.ts';
import type { OptionChecker } from '../../core/options.ts';
import { Refusal } from './value-types.ts';
import type { ValueType } from './value-types.ts';

/** What the command line gave for a parameter, as commander collects it. */
export type Given = string | readonly string[] | true | undefined;

/** Where a parameter reports what it cannot read, and the time for what is relative to it. */
export interface Reading {
  readonly checker: OptionChecker;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** An argument or option of a command: how it is written, what it is for, and what its text means. */
export interface Parameter<T> {
  readonly kind: 'argument' | 'option';
  /** As commander writes it: `<path...>`, `--to <url>`, `-f, --follow`. */
  readonly syntax: string;
  readonly description: string;
  /** Whether an option may come several times; it is then given as a list. */
  readonly repeatable?: boolean;
  /** Gives the value; where the text means nothing, reports it, and the command will not run. */
  read(given: Given, reading: Reading): T;
}

/** The parameters of a command whose `run` takes `Input`. */
export type ParametersOf<Input> = { readonly [Key in keyof Input]-?: Parameter<Input[Key]> };

/** How messages call a parameter: `--to`, or `path`. */
function shownName(syntax: string): string {
  return /--[\w-]+/.exec(syntax)?.[0] ?? syntax.replaceAll(/[<>[\].]/g, '');
}

function readOne<T>(syntax: string, type: ValueType<T>, given: Given, { checker, now }: Reading): T {
  const name = shownName(syntax);
  const text = typeof given === 'string' ? given : '';
  const value = type.parse(text, now);
  if (value instanceof Refusal) {
    checker.problem(name, value.expected, type.secret === true ? NOT_SHOWN : text, value.remedy);
  }
  // The checker stops the command before it could use a refusal.
  return value as T;
}

/** `--name`: there or not. */
export function flag(syntax: string, description: string): Parameter<boolean> {
  return { kind: 'option', syntax, description, read: (given) => given === true };
}

/** `--name <value>`, which may be left out. */
export function optional<T>(
  syntax: string,
  description: string,
  type: ValueType<T>,
): Parameter<T | undefined> {
  return {
    kind: 'option',
    syntax,
    description,
    read: (given, reading) => (given === undefined ? undefined : readOne(syntax, type, given, reading)),
  };
}

/** `--name <value>` with what holds where it is left out. */
export function withDefault<T>(
  syntax: string,
  description: string,
  type: ValueType<T>,
  fallback: string,
): Parameter<T> {
  return {
    kind: 'option',
    syntax,
    description: `${description} (default: ${fallback})`,
    read: (given, reading) => readOne(syntax, type, given ?? fallback, reading),
  };
}

/** `--name <value>`, which has to be there. */
export function required<T>(syntax: string, description: string, type: ValueType<T>): Parameter<T> {
  return {
    kind: 'option',
    syntax,
    description: `${description} (required)`,
    read(given, reading) {
      if (given === undefined) {
        reading.checker.problem(shownName(syntax), 'to be given', undefined, `Add ${syntax}.`);
      }
      return given === undefined ? (undefined as T) : readOne(syntax, type, given, reading);
    },
  };
}

/** `--name <value...>`: as often as wanted. */
export function repeated<T>(
  syntax: string,
  description: string,
  type: ValueType<T>,
): Parameter<readonly T[]> {
  return {
    kind: 'option',
    syntax,
    description: `${description} (may be repeated)`,
    repeatable: true,
    read: (given, reading) =>
      (Array.isArray(given) ? given : []).map((each: string) => readOne(syntax, type, each, reading)),
  };
}

/** `<name...>`: one or more arguments, or `[name...]`: none or more. */
export function severalArguments<T>(
  syntax: string,
  description: string,
  type: ValueType<T>,
): Parameter<readonly T[]> {
  return { ...repeated(syntax, description, type), kind: 'argument', description };
}
