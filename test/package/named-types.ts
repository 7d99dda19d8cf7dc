import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import type { Statement } from './public-surface.ts';
import { declaredNames, nameOf } from './public-surface.ts';

type Program = ReturnType<typeof parseSync>['program'];

/** A declaration, known by where it stands. */
interface Declared {
  readonly file: string;
  readonly name: string;
}

/** What a declaration file declares, imports and exports. */
interface DeclarationFile {
  /** Its own top-level declarations, by name; overloads and merged declarations share one. */
  readonly own: ReadonlyMap<string, readonly Statement[]>;
  /** Where a local name comes from: another file of ours. */
  readonly imported: ReadonlyMap<string, Declared>;
  /** Where an exported name is declared, or what hands it on. */
  readonly exported: ReadonlyMap<string, Declared>;
}

/** Reads declaration files and follows names from one to the next. */
class Declarations {
  readonly #files = new Map<string, DeclarationFile>();

  file(path: string): DeclarationFile {
    const known = this.#files.get(path) ?? readDeclarations(path);
    this.#files.set(path, known);
    return known;
  }

  /** The declaration behind a name that a file exports. */
  exported(path: string, name: string): Declared | undefined {
    const found = this.file(path).exported.get(name);
    if (!found) return undefined;
    return found.file === path ? this.local(path, found.name) : this.exported(found.file, found.name);
  }

  /** The declaration behind a name within a file; `undefined` for globals, type parameters and names of other packages. */
  local(path: string, name: string): Declared | undefined {
    const { own, imported } = this.file(path);
    if (own.has(name)) return { file: path, name };
    const from = imported.get(name);
    return from && this.exported(from.file, from.name);
  }
}

/**
 * Types of ours that the declarations of the entry points name and that no entry point exports: users meet them in a signature and cannot
 * write them down.
 * @param entryFiles the declaration files of all entry points
 * @returns one line for each
 */
export function unnameableTypes(entryFiles: readonly string[]): string[] {
  const declarations = new Declarations();
  const surface = new Map<string, Declared>();
  for (const file of entryFiles) {
    for (const name of declarations.file(file).exported.keys()) {
      const declared = declarations.exported(file, name);
      if (declared) surface.set(keyOf(declared), declared);
    }
  }
  const problems = [...surface.values()].flatMap((declared) =>
    typesIn(declared, declarations)
      .filter((type) => !surface.has(keyOf(type)))
      .map((type) => `${declared.name} names ${type.name}, which no entry point exports`),
  );
  return [...new Set(problems)].toSorted();
}

function keyOf({ file, name }: Declared): string {
  return `${file}#${name}`;
}

/** The declarations of ours that a declaration names as types. Members that only the compiler sees (`#private`) name none. */
function typesIn({ file, name }: Declared, declarations: Declarations): Declared[] {
  const names = new Set<string>();
  const parameters = new Set<string>();
  const visitor = new Visitor({
    TSTypeReference({ typeName }) {
      if (typeName.type === 'Identifier') names.add(typeName.name);
    },
    TSInterfaceHeritage({ expression }) {
      if (expression.type === 'Identifier') names.add(expression.name);
    },
    TSClassImplements({ expression }) {
      if (expression.type === 'Identifier') names.add(expression.name);
    },
    ClassDeclaration({ superClass }) {
      if (superClass?.type === 'Identifier') names.add(superClass.name);
    },
    TSTypeParameter(parameter) {
      parameters.add(parameter.name.name);
    },
  });
  const body = declarations.file(file).own.get(name) ?? [];
  visitor.visit({ type: 'Program', body, sourceType: 'module', hashbang: null, start: 0, end: 0 } as Program);
  return [...names]
    .filter((type) => type !== name && !parameters.has(type))
    .flatMap((type) => declarations.local(file, type) ?? []);
}

function readDeclarations(path: string): DeclarationFile {
  const own = new Map<string, Statement[]>();
  const imported = new Map<string, Declared>();
  const exported = new Map<string, Declared>();
  for (const statement of parseSync(path, readFileSync(path, 'utf8')).program.body) {
    if (statement.type === 'ImportDeclaration') {
      const file = relativeFile(path, statement.source.value);
      for (const specifier of statement.specifiers) {
        if (!file || specifier.type !== 'ImportSpecifier') continue;
        imported.set(specifier.local.name, { file, name: nameOf(specifier.imported) });
      }
      continue;
    }
    for (const name of declaredNames(statement)) {
      own.set(name, [...(own.get(name) ?? []), statement]);
      if (statement.type === 'ExportNamedDeclaration') exported.set(name, { file: path, name });
    }
    if (statement.type !== 'ExportNamedDeclaration') continue;
    const source = statement.source && relativeFile(path, statement.source.value);
    if (statement.source && !source) continue;
    for (const { local, exported: as } of statement.specifiers)
      exported.set(nameOf(as), { file: source ?? path, name: nameOf(local) });
  }
  return { own, imported, exported };
}

function relativeFile(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return join(dirname(from), specifier.replace(/\.[jt]s$/, '.d.ts'));
}
