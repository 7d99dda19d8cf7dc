import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CATALOG } from '../../../src/cli/catalog.ts';
import { EXIT, EXIT_MEANINGS } from '../../../src/cli/frame/exit-codes.ts';

const page = readFileSync('src/cli/README.md', 'utf8');

test('the README has every exit code with its meaning', () => {
  const rows = Object.entries(EXIT).map(
    ([name, code]) => `| \`${code}\` | ${EXIT_MEANINGS[name as keyof typeof EXIT]} |`,
  );
  const table =
    /<!-- exit codes -->\n\| code \| meaning \|\n\|---\|---\|\n([\s\S]*?)\n<!-- \/exit codes -->/.exec(page);
  expect(table?.[1]?.split('\n')).toEqual(rows);
});

test('the README names every command, and every command has an example that begins with its name', () => {
  for (const entry of CATALOG) {
    const commands = 'commands' in entry ? entry.commands : [entry];
    for (const { name, examples } of commands) {
      const title = 'commands' in entry ? `keelson ${entry.name} ${name}` : `keelson ${name}`;
      expect(page).toContain(`| \`${title}\` |`);
      expect(examples.length).toBeGreaterThan(0);
      expect(examples.filter((example) => !example.startsWith(title))).toEqual([]);
    }
  }
});
