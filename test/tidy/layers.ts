import { posix } from 'node:path';
import type { SourceFile } from './source-file.ts';

/** What an area of `src` may import. */
export interface Layer {
  /** Other areas; its own files are always allowed. */
  readonly areas: readonly string[];
  /** npm packages, as patterns of their names. */
  readonly packages: readonly RegExp[];
  /** Whether it may use `node:` modules, or which. */
  readonly node: boolean | RegExp;
  /** Whether its folders must not see one another; files beside the folders are common ground. */
  readonly sealed?: boolean;
}

const ANY_AREA = ['core', 'storage', 'host', 'signals', 'policies', 'guard', 'telemetry'];

/**
 * Who may import whom. `index.ts` stands for the file at the root of `src`.
 * A new area gets its line here together with its first file.
 */
export const LAYERS: Readonly<Record<string, Layer>> = {
  core: { areas: [], packages: [], node: /^node:async_hooks$/ },
  storage: { areas: ['core'], packages: [], node: true },
  // A sample starts no child process.
  host: { areas: ['core'], packages: [], node: /^node:(?:fs|fs\/promises|os|path|perf_hooks|v8)$/ },
  signals: { areas: ['core'], packages: [/^@opentelemetry\/api$/], node: true },
  policies: {
    areas: ['core', 'storage'],
    packages: [/^cockatiel$/, /^lru-cache$/, /^ioredis$/, /^pg$/],
    node: true,
    sealed: true,
  },
  guard: {
    areas: ['core', 'storage', 'host', 'signals', 'policies'],
    packages: [/^cockatiel$/, /^lru-cache$/],
    node: true,
  },
  telemetry: {
    areas: ['core', 'storage', 'host', 'signals'],
    packages: [/^@opentelemetry\//, /^winston$/, /^import-in-the-middle$/],
    node: true,
  },
  cli: { areas: ['core', 'storage', 'host', 'signals', 'telemetry'], packages: [/^commander$/], node: true },
  testing: { areas: ANY_AREA, packages: [/./], node: true },
  'index.ts': { areas: ['core', 'guard', 'policies', 'signals'], packages: [], node: false },
};

/** `@scope/name` or `name` of an import specifier. */
export function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function target(file: SourceFile, specifier: string): string {
  return posix.join(posix.dirname(file.path), specifier);
}

function problemOf(
  file: SourceFile,
  specifier: string,
  layers: Readonly<Record<string, Layer>>,
): string | undefined {
  const [area = '', folder = ''] = file.path.split('/');
  const layer = layers[area];
  if (layer === undefined) return undefined;
  if (specifier.startsWith('node:')) {
    const mayUse = typeof layer.node === 'boolean' ? layer.node : layer.node.test(specifier);
    return mayUse ? undefined : `${area} must not import ${specifier}`;
  }
  if (!specifier.startsWith('.')) {
    const name = packageName(specifier);
    return layer.packages.some((pattern) => pattern.test(name))
      ? undefined
      : `${area} must not import package ${name}`;
  }
  const path = target(file, specifier);
  const [toArea = '', toFolder = ''] = path.split('/');
  if (toArea === '..') return `${area} must not import ${path}, which is outside src`;
  if (toArea !== area) return layer.areas.includes(toArea) ? undefined : `${area} must not import ${toArea}`;
  const sibling = folder !== toFolder && !toFolder.endsWith('.ts') && !folder.endsWith('.ts');
  if (layer.sealed === true && sibling) return `${area}/${folder} must not import ${area}/${toFolder}`;
  return undefined;
}

/** Every import that the table does not allow, and every file of an area that the table does not know. */
export function layerViolations(
  files: readonly SourceFile[],
  layers: Readonly<Record<string, Layer>> = LAYERS,
): readonly string[] {
  const found: string[] = [];
  for (const file of files) {
    const [area = ''] = file.path.split('/');
    if (!Object.hasOwn(layers, area)) {
      found.push(`${file.path}: area "${area}" has no line in LAYERS; add one that says what it may import`);
    }
    for (const { specifier, line } of file.imports) {
      const problem =
        specifier === undefined
          ? 'an import with a computed name cannot be checked; write it as a literal'
          : problemOf(file, specifier, layers);
      if (problem !== undefined) found.push(`${file.path}:${line}: ${problem}`);
    }
  }
  return found;
}

/** Anybody may import the contracts, and the names of telemetry, file by file. */
const OPEN_AREA = 'core';
const OPEN_FILES: ReadonlySet<string> = new Set(['index.ts', 'semconv.ts']);

/**
 * Every import that enters a folder with an `index.ts` from outside by another file than an `index.ts`: the folder's own, or that of a folder
 * inside of it. `core` and every `semconv.ts` are open.
 */
export function doorViolations(files: readonly SourceFile[]): readonly string[] {
  const closed = new Set(
    files.flatMap(({ path }) => {
      const folder = posix.dirname(path);
      return posix.basename(path) === 'index.ts' && folder !== '.' && folder !== OPEN_AREA ? [folder] : [];
    }),
  );
  const enteredBy = (from: string, to: string): string | undefined => {
    const parts = to.split('/').slice(0, -1);
    const folders = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    return folders.findLast((folder) => closed.has(folder) && !from.startsWith(`${folder}/`));
  };
  return files.flatMap((file) =>
    file.imports.flatMap(({ specifier, line }) => {
      if (specifier?.startsWith('.') !== true) return [];
      const to = target(file, specifier);
      const folder = enteredBy(file.path, to);
      if (folder === undefined || OPEN_FILES.has(posix.basename(to))) return [];
      return [`${file.path}:${line}: ${to} is behind a door; import it from ${folder}/index.ts`];
    }),
  );
}

/** Every import cycle, type-only imports included: one line for each group of files that reach one another. */
export function importCycles(files: readonly SourceFile[]): readonly string[] {
  const graph = new Map(
    files.map((file) => [
      file.path,
      file.imports.flatMap(({ specifier }) => (specifier?.startsWith('.') ? [target(file, specifier)] : [])),
    ]),
  );
  const index = new Map<string, number>();
  const stack: string[] = [];
  const found: string[] = [];

  const connect = (path: string): number => {
    const order = index.size;
    let lowest = order;
    index.set(path, order);
    stack.push(path);
    for (const next of graph.get(path) ?? []) {
      if (!index.has(next)) lowest = Math.min(lowest, connect(next));
      else if (stack.includes(next)) lowest = Math.min(lowest, index.get(next) ?? lowest);
    }
    if (lowest === order) {
      const group = stack.splice(stack.indexOf(path));
      const selfImport = graph.get(path)?.includes(path) ?? false;
      if (group.length > 1 || selfImport) found.push(`import cycle: ${group.toSorted().join(' <-> ')}`);
    }
    return lowest;
  };

  for (const path of graph.keys()) if (!index.has(path)) connect(path);
  return found.toSorted();
}
