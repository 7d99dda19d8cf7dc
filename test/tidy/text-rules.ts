import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A file of the repository whose text people read. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

interface Pattern {
  readonly what: string;
  readonly pattern: RegExp;
}

const PATTERNS: readonly Pattern[] = [
  {
    what: 'a path of one machine',
    pattern: /(?<![\w./$}>-])\/(?:home|Users|root|work|private\/var)\/[\w.-]+/,
  },
  { what: 'a path of one machine', pattern: /\b[A-Z]:\\Users\\/ },
  { what: 'a path of one machine', pattern: /\bfile:\/\/\/(?:home|Users|root|work)\b/ },
  {
    what: 'a package host',
    pattern:
      /\bhttps?:\/\/[^\s/"'`]*(?:registry|artifactory|nexus|jfrog|verdaccio|npm-?mirror|goproxy)[^\s/"'`]*/i,
  },
  { what: 'a package host', pattern: /^\s*"resolved": "https?:/m },
  { what: 'a package host', pattern: /\bproxy\.golang\.org\b/ },
  { what: 'a credential', pattern: /_authToken\s*=|-----BEGIN [A-Z ]*PRIVATE KEY-----/ },
];

/** Text that ties the repository to one machine, one package host or one person's credential. */
export function localTraces(files: readonly TextFile[]): readonly string[] {
  return files.flatMap(({ path, text }) =>
    PATTERNS.flatMap(({ what, pattern }) => {
      const match = pattern.exec(text);
      if (match === null) return [];
      return [`${path}:${text.slice(0, match.index).split('\n').length}: ${what}: ${match[0].trim()}`];
    }),
  );
}

/** What is wrong with a changelog: it needs a section of what is not yet released, with at least one entry. */
export function changelogProblems(text: string): readonly string[] {
  const section = /^## Unreleased\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(text);
  if (section === null) return ['CHANGELOG.md: a section "## Unreleased" is missing'];
  return /^- \S/m.test(section[1] ?? '') ? [] : ['CHANGELOG.md: the section "Unreleased" has no entry'];
}

const MAX_TEXT_BYTES = 1_000_000;

/** The files that git tracks, without binary and very large ones. */
export function trackedFiles(root: string): readonly TextFile[] {
  return execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
    .split('\0')
    .filter((path) => path !== '' && (statSync(join(root, path), { throwIfNoEntry: false })?.size ?? 0) > 0)
    .filter((path) => statSync(join(root, path)).size <= MAX_TEXT_BYTES)
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter(({ text }) => !text.includes('\0'));
}
