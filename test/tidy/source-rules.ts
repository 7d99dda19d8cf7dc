import type { Node, SourceFile } from './source-file.ts';
import { identifierName, lineAt, stringValue, walk } from './source-file.ts';

/** A place that may read the time, start a timer or draw a random number itself, and why. */
export interface Seam {
  readonly file: string;
  readonly uses: readonly string[];
  readonly reason: string;
}

/** The seams of `src`: everything else takes its `Clock` and `Random` from outside. */
export const SEAMS: readonly Seam[] = [
  {
    file: 'core/time/clock.ts',
    uses: ['Date.now', 'performance.now', 'setTimeout'],
    reason: 'It is the clock of the machine.',
  },
  {
    file: 'core/time/timers-in-force.ts',
    uses: ['globalThis.setTimeout'],
    reason: 'It looks whether a test runner has replaced the timers, and starts none.',
  },
  {
    file: 'testing/fake-clock.ts',
    uses: ['node:timers'],
    reason:
      'Promises settle in a real turn of the event loop, while a runner has replaced the global timers.',
  },
  { file: 'core/random.ts', uses: ['Math.random'], reason: 'It is the random source of the machine.' },
];

const GLOBALS = new Set(['setTimeout', 'setInterval']);
const MEMBERS = new Set([
  'Date.now',
  'performance.now',
  'process.hrtime',
  'Math.random',
  'AbortSignal.timeout',
  'globalThis.setTimeout',
  'globalThis.setInterval',
]);
const MODULES = new Set(['node:timers', 'node:timers/promises']);

function memberName(node: Node): string | undefined {
  if (node.type !== 'MemberExpression') return undefined;
  const object = identifierName(node['object']);
  const property =
    node['computed'] === true ? stringValue(node['property']) : identifierName(node['property']);
  return object === undefined || property === undefined ? undefined : `${object}.${property}`;
}

function isPropertyName(node: Node, parent: Node | undefined): boolean {
  if (parent === undefined || parent['computed'] === true) return false;
  return (
    (parent.type === 'MemberExpression' && parent['property'] === node) ||
    (parent['key'] === node && parent['value'] !== node)
  );
}

function ambientUse(node: Node, parent: Node | undefined): string | undefined {
  const member = memberName(node);
  if (member !== undefined) return MEMBERS.has(member) ? member : undefined;
  const name = identifierName(node);
  if (name !== undefined) return GLOBALS.has(name) && !isPropertyName(node, parent) ? name : undefined;
  const called = node.type === 'NewExpression' || node.type === 'CallExpression';
  const bare = called && Array.isArray(node['arguments']) && node['arguments'].length === 0;
  return bare && identifierName(node['callee']) === 'Date' ? 'new Date()' : undefined;
}

/** Time, timers and randomness that do not come through a seam; seams that are no longer needed. */
export function ambientUses(files: readonly SourceFile[], seams: readonly Seam[] = SEAMS): readonly string[] {
  const found: string[] = [];
  const needed = new Set<string>();
  for (const { path, text, program, imports } of files) {
    const allowed = new Set(seams.filter((seam) => seam.file === path).flatMap((seam) => seam.uses));
    const report = (use: string, line: number): void => {
      if (allowed.has(use)) needed.add(`${path} ${use}`);
      else
        found.push(
          `${path}:${line}: ${use} is read directly; take a Clock or Random, or name the seam in SEAMS`,
        );
    };
    walk(program, (node, [parent]) => {
      const use = ambientUse(node, parent);
      if (use !== undefined) report(use, lineAt(text, node.start));
    });
    for (const { specifier, line } of imports) {
      if (specifier !== undefined && MODULES.has(specifier)) report(specifier, line);
    }
  }
  for (const { file, uses } of seams) {
    for (const use of uses) {
      if (!needed.has(`${file} ${use}`)) found.push(`${file}: SEAMS allows ${use}, which it does not use`);
    }
  }
  return found;
}

function literalText(node: Node): string | undefined {
  if (node.type !== 'TemplateElement') return stringValue(node);
  const value = node['value'];
  return typeof value === 'object' && value !== null && 'raw' in value ? String(value.raw) : undefined;
}

/** What makes a key: no name of telemetry. */
const KEY_MAKERS = new Set(['Symbol', 'Symbol.for', 'createContextKey']);

function isKeyMaker(parent: Node | undefined): boolean {
  const callee = parent?.type === 'CallExpression' ? parent['callee'] : undefined;
  if (typeof callee !== 'object' || callee === null) return false;
  return KEY_MAKERS.has(identifierName(callee) ?? memberName(callee as Node) ?? '');
}

/** `keelson.yaml` is a file. */
const FILE = /\.(?:yaml|yml|json|jsonl|md)$/;

/** Names of telemetry outside a `semconv.ts`. */
export function strayNames(files: readonly SourceFile[]): readonly string[] {
  const found: string[] = [];
  for (const { path, text, program } of files) {
    if (path.endsWith('semconv.ts')) continue;
    walk(program, (node, [parent]) => {
      const name = literalText(node);
      if (name === undefined || !name.startsWith('keelson.')) return;
      if (FILE.test(name) || isKeyMaker(parent)) return;
      found.push(`${path}:${lineAt(text, node.start)}: "${name}" belongs into a semconv.ts`);
    });
  }
  return found;
}

/** Exports whose name the reader cannot search for: `export default` and `export *`. */
export function unnamedExports(files: readonly SourceFile[]): readonly string[] {
  const found: string[] = [];
  for (const { path, text, program } of files) {
    walk(program, (node) => {
      const what =
        node.type === 'ExportDefaultDeclaration'
          ? 'export default'
          : node.type === 'ExportAllDeclaration'
            ? 'export *'
            : '';
      if (what !== '') found.push(`${path}:${lineAt(text, node.start)}: ${what}; export by name`);
    });
  }
  return found;
}

/** The most lines that a file may have. */
export const MAX_LINES = 350;

/** Files that are too long to read in one go. */
export function longFiles(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.trimEnd().split('\n').length;
    return lines > MAX_LINES ? [`${path}: ${lines} lines, at most ${MAX_LINES}; split it by concept`] : [];
  });
}

const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/;
const BUCKETS = new Set(['utils', 'util', 'common', 'helpers', 'helper', 'misc', 'shared', 'lib']);

/** Names that are not kebab-case, and folders that say nothing about what is in them. */
export function badNames(paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => {
    const parts = path.split('/');
    const found: string[] = [];
    for (const part of parts) if (!KEBAB.test(part)) found.push(`${path}: "${part}" is not kebab-case`);
    for (const folder of parts.slice(0, -1)) {
      if (BUCKETS.has(folder)) found.push(`${path}: folder "${folder}" names no concept`);
    }
    return found;
  });
}

/** The most files that lie directly in one folder. */
export const MAX_FILES = 16;

/** Folders with more than {@link MAX_FILES} files, and how many they may have until they are split. */
export const CROWDED: Readonly<Record<string, number>> = {};

/** Folders with too many files, and exceptions that allow more files than there are. Files in deeper folders do not count. */
export function crowdedFolders(
  paths: readonly string[],
  exceptions: Readonly<Record<string, number>> = CROWDED,
): readonly string[] {
  const counts = new Map<string, number>();
  for (const path of paths) {
    const folder = path.slice(0, path.lastIndexOf('/'));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  const found: string[] = [];
  for (const [folder, count] of counts) {
    const most = exceptions[folder] ?? MAX_FILES;
    if (count > most) found.push(`${folder}: ${count} files, at most ${most}; split it by concept`);
  }
  for (const [folder, most] of Object.entries(exceptions)) {
    const count = counts.get(folder) ?? 0;
    if (count < most)
      found.push(`${folder}: CROWDED allows ${most} files, and it has ${count}; lower or remove it`);
  }
  return found;
}
