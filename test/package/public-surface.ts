import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSync } from 'oxc-parser';

interface Exported {
  /** Under which name the entry point gives it away. */
  readonly name: string;
  /** Its declaration, without comments. */
  readonly text: string;
}

export type Statement = ReturnType<typeof parseSync>['program']['body'][number];

/** The text of a declaration without comments and without blank lines. */
function withoutComments(text: string): string {
  const { comments } = parseSync('declaration.d.ts', text);
  const bare = comments
    .toReversed()
    .reduce((rest, { start, end }) => rest.slice(0, start) + rest.slice(end), text);
  return bare
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .join('\n');
}

/** The names that a statement declares. */
export function declaredNames(statement: Statement): readonly string[] {
  const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
  switch (declaration?.type) {
    case 'VariableDeclaration':
      return declaration.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []));
    case 'FunctionDeclaration':
    case 'TSDeclareFunction':
    case 'ClassDeclaration':
      return declaration.id ? [declaration.id.name] : [];
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
      return [declaration.id.name];
    default:
      return [];
  }
}

/** The text of a name, quoted or not. */
export function nameOf(node: {
  readonly type: string;
  readonly name?: string;
  readonly value?: unknown;
}): string {
  return node.name ?? String(node.value);
}

/** Everything that a declaration file exports, with names that come from other files followed to where they are declared. */
function exportsOf(file: string): readonly Exported[] {
  const text = readFileSync(file, 'utf8');
  const { body } = parseSync(file, text).program;
  return body.flatMap((statement) => {
    if (statement.type !== 'ExportNamedDeclaration') return [];
    const own = declaredNames(statement).map((name) => ({
      name,
      text: withoutComments(text.slice(statement.start, statement.end)),
    }));
    const listed = statement.specifiers.map(({ local, exported }) => ({
      name: nameOf(exported),
      text: declarationOf(file, nameOf(local), statement.source?.value),
    }));
    return [...own, ...listed];
  });
}

function declarationOf(file: string, name: string, source: string | undefined): string {
  if (source !== undefined && !source.startsWith('.')) return `export { ${name} } from '${source}';`;
  const from = source === undefined ? file : join(dirname(file), source.replace(/\.[jt]s$/, '.d.ts'));
  if (!existsSync(from)) throw new Error(`${file} exports ${name} from ${from}, which is missing`);
  const found = exportsOf(from).filter((exported) => exported.name === name);
  if (found.length > 0) return found.map(({ text }) => text).join('\n');
  throw new Error(`${from} does not declare ${name}`);
}

/**
 * What users of an entry point can name: the declarations behind its exports, by name, without comments.
 * @param file a declaration file in `dist`
 */
export function publicSurface(file: string): string {
  const sorted = exportsOf(file).toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  return sorted.map(({ name, text }) => `// ${name}\n${text}\n`).join('\n');
}
