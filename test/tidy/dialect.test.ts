import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

/** What a tool reports, with the settings of this checkout, about one test file of this text. */
function reportOf(tool: 'oxlint' | 'oxfmt', text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-dialect-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const settings of ['.oxlintrc.json', '.oxfmtrc.json']) copyFileSync(settings, join(folder, settings));
  writeFileSync(join(folder, 'planted.test.ts'), text);
  const program = join(process.cwd(), 'node_modules/.bin', tool);
  const args = tool === 'oxfmt' ? ['--check'] : [];
  const { status, stdout } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' });
  return `${stdout}\nstatus ${status}`;
}

/** A test as this project writes it. */
function testFile(word: string, most: string, gap = ''): string {
  return [
    `import { writeFileSync } from 'node:fs';${gap}`,
    `import { expect, ${word} } from 'vitest';`,
    '',
    `${word}('a number has a limit', () => {`,
    `  expect(Math.min(1, ${most})).toBe(writeFileSync.length);`,
    '});',
    '',
  ].join('\n');
}

test('the linter and the formatter accept the dialect of this project', () => {
  const text = testFile('test', 'Number.POSITIVE_INFINITY');
  expect(reportOf('oxlint', text)).toMatch(/status 0$/);
  expect(reportOf('oxfmt', text)).toMatch(/status 0$/);
});

test.each([
  ['it', testFile('it', 'Number.POSITIVE_INFINITY'), 'consistent-test-it'],
  ['Infinity', testFile('test', 'Infinity'), 'prefer-number-properties'],
])('the linter reports a planted `%s`', (_what, text, rule) => {
  const report = reportOf('oxlint', text);
  expect(report).toContain(rule);
  expect(report).toMatch(/status 1$/);
});

test('the formatter reports a planted blank line between imports', () => {
  const report = reportOf('oxfmt', testFile('test', 'Number.POSITIVE_INFINITY', '\n'));
  expect(report).toContain('planted.test.ts');
  expect(report).toMatch(/status 1$/);
});
