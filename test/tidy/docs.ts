import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MetricDefinition } from '../../src/signals/semconv.ts';

/** Snippets of a page that say where they come from, and differ from it. `read` gives a file's text, or `undefined`. */
export function snippetProblems(page: string, read: (file: string) => string | undefined): string[] {
  return [...page.matchAll(/<!-- from (\S+) -->\n```\w+\n([\s\S]*?)```/g)].flatMap(
    ([, file = '', snippet = '']) => {
      const source = read(file);
      if (source === undefined) return [`${file} does not exist`];
      return source.trim() === snippet.trim() ? [] : [`the snippet differs from ${file}`];
    },
  );
}

/** Relative links of a page that lead nowhere. */
export function linkProblems(
  page: string,
  file: string,
  exists: (path: string) => boolean = existsSync,
): string[] {
  return [...page.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target) && !exists(join(dirname(file), target)))
    .map((target) => `${file} links to ${target}, which does not exist`);
}

/** Metrics whose row in a page is missing or says something else. */
export function metricTableProblems(page: string, metrics: readonly MetricDefinition[]): string[] {
  return metrics
    .map(({ name, instrument, unit, attributes }) => {
      const keys = attributes.map((key) => `\`${key}\``).join(', ');
      return `| \`${name}\` | ${instrument} | \`${unit}\` | ${keys} |`;
    })
    .filter((row) => !page.includes(`${row}\n`))
    .map((row) => `missing row: ${row}`);
}

/** Options whose row in a page is missing or has another default; `undefined` stands for an option without one. */
export function optionTableProblems(page: string, defaults: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(defaults)
    .map(([option, value]) => {
      const shown = typeof value === 'string' ? `\`'${value}'\`` : `\`${String(value)}\``;
      return value === undefined ? `| \`${option}\` | ` : `| \`${option}\` | ${shown} |`;
    })
    .filter((row) => !page.includes(row))
    .map((row) => `missing row: ${row}`);
}
