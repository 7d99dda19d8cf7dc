import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** The repository's root. */
export const ROOT: string = join(import.meta.dirname, '..', '..', '..');

/** A parsed YAML value. */
export type Value =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Value[]
  | { readonly [key: string]: Value };

/** The way to a value inside a document: keys, and positions in lists. */
export type Path = readonly (string | number)[];

/** One leaf to be replaced. */
export interface Edit {
  readonly path: Path;
  readonly value: string | number;
}

/** A shipped file. */
export interface Shipped {
  /** Path from the root of the repository. */
  readonly file: string;
  readonly document: Value;
}

/** @returns a shipped YAML file, parsed */
export function shipped(file: string): Shipped {
  return { file, document: parse(readFileSync(join(ROOT, file), 'utf8')) as Value };
}

const isMap = (value: Value): value is { readonly [key: string]: Value } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @returns the keys and positions of a collection with their values; nothing for a leaf */
function entries(value: Value): readonly (readonly [string | number, Value])[] | undefined {
  if (Array.isArray(value)) return (value as readonly Value[]).map((item, index) => [index, item] as const);
  return isMap(value) ? Object.entries(value) : undefined;
}

/** @returns the value at a path, or undefined */
export function at(document: Value, path: Path): Value {
  let value = document;
  for (const step of path) value = entries(value)?.find(([key]) => key === step)?.[1];
  return value;
}

/**
 * Replaces leaves that exist.
 *
 * @returns a changed copy
 * @throws where a path leads nowhere, since then the shipped file has changed its shape
 */
export function edited(document: Value, edits: readonly Edit[]): Value {
  const copy = structuredClone(document);
  for (const { path, value } of edits) {
    const key = path.at(-1);
    const parent = at(copy, path.slice(0, -1));
    if (key === undefined || at(copy, path) === undefined || typeof parent !== 'object' || parent === null) {
      throw new Error(
        `Expected a value at ${path.join(' > ')} to replace, found none. Follow the shipped file's new shape.`,
      );
    }
    Reflect.set(parent, key, value);
  }
  return copy;
}

/** @returns every leaf with its path; an empty list or map counts as a leaf */
export function leaves(document: Value, path: Path = []): readonly (readonly [path: Path, value: Value])[] {
  const inner = entries(document);
  if (inner === undefined || inner.length === 0) return [[path, document]];
  return inner.flatMap(([key, value]) => leaves(value, [...path, key]));
}

/** @returns the paths of all leaves that two documents do not share */
export function changedLeaves(before: Value, after: Value): readonly Path[] {
  const text = (value: Value): string => JSON.stringify(value) ?? 'undefined';
  const left = new Map(leaves(before).map(([path, value]) => [JSON.stringify(path), text(value)]));
  const right = new Map(leaves(after).map(([path, value]) => [JSON.stringify(path), text(value)]));
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((path) => left.get(path) !== right.get(path))
    .map((path) => JSON.parse(path) as Path);
}
