import type { TextFile } from './text-rules.ts';

/** `@throws {Error}`, or another class, without the braces that make it a type. */
const BARE_CLASS = /@throws (?=(?:[A-Z]\w*)?Error\b)/;

/** Doc comments that name a class which is thrown without braces: `@throws {ConfigError} for ...` is the form. */
export function bareThrows(files: readonly TextFile[]): readonly string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) =>
        BARE_CLASS.test(line) ? [`${path}:${index + 1}: write the class in braces: ${line.trim()}`] : [],
      ),
  );
}
