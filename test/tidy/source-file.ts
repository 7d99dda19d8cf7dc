import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';

/** A node of the syntax tree, as far as the rules look at it. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

/** An import, export-from, `import()`, `import('x').Type` or `require()` with what it names. */
export interface ImportReference {
  /** `undefined` where it is computed at run time. */
  readonly specifier: string | undefined;
  readonly line: number;
}

/** A parsed source file. */
export interface SourceFile {
  /** Below the scanned root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly program: Node;
  readonly imports: readonly ImportReference[];
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** Calls `visit` for `node` and everything below it, with the nodes above it: the nearest one first. */
export function walk(
  node: Node,
  visit: (node: Node, parents: readonly Node[]) => void,
  parents: readonly Node[] = [],
): void {
  visit(node, parents);
  const above = [node, ...parents];
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, visit, above);
  }
}

/** The line of an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** The value of a string literal. */
export function stringValue(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Literal' && typeof node['value'] === 'string'
    ? node['value']
    : undefined;
}

/** The name of an identifier. */
export function identifierName(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Identifier' && typeof node['name'] === 'string'
    ? node['name']
    : undefined;
}

const WITH_SOURCE = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
]);

function importedBy(node: Node): { specifier: string | undefined } | undefined {
  if (WITH_SOURCE.has(node.type)) {
    const source = node['source'] ?? node['argument'];
    return source === null || source === undefined ? undefined : { specifier: stringValue(source) };
  }
  if (node.type === 'CallExpression' && identifierName(node['callee']) === 'require') {
    const [argument] = Array.isArray(node['arguments']) ? node['arguments'] : [];
    return { specifier: stringValue(argument) };
  }
  return undefined;
}

/** Parses the text of a file; a syntax error throws, so that no rule passes over a file that it could not read. */
export function parseSource(path: string, text: string): SourceFile {
  const { program, errors } = parseSync(path, text);
  const [error] = errors;
  if (error !== undefined) throw new SyntaxError(`${path}: ${error.message}`);
  const root = program as unknown as Node;
  const imports: ImportReference[] = [];
  walk(root, (node) => {
    const found = importedBy(node);
    if (found) imports.push({ specifier: found.specifier, line: lineAt(text, node.start) });
  });
  return { path, text, program: root, imports };
}

/** Parses every `.ts` file below `root`. */
export function readSources(root: string): readonly SourceFile[] {
  return globSync('**/*.{ts,cts}', { cwd: root })
    .map((path) => path.replaceAll('\\', '/'))
    .toSorted()
    .map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')));
}
