import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const FIXTURE = join(import.meta.dirname, 'new-policy');

/** What is written into the files that stand: `[after this line, these lines]`, as CONTRIBUTING says. */
const EDITS: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  // The names that telemetry may carry are a closed set: a policy that refuses adds its own.
  'core/outcome.ts': [
    ['export type PolicyName =', "  | 'thin'\n  |"],
    ['export type RejectionReason =', "  | 'thinned'"],
  ],
  // The list of policies: the options, what comes of them, and the place in the order.
  'guard/options/policies.ts': [
    [
      '',
      "import type { ResolvedThin, Thin, ThinOptions, ThinSnapshot } from '../../policies/thin/index.ts';\nimport { thinFacts } from '../../policies/thin/index.ts';\n",
    ],
    ['export interface PolicyOptions<F = unknown> {', '\n  readonly thin?: ThinOptions;'],
    ['export interface ResolvedPolicies {', '\n  readonly thin: ResolvedThin | undefined;'],
    ['export interface PipelineMechanisms {', '\n  readonly thin: Thin | undefined;'],
    ['export interface PolicySnapshots {', '\n  readonly thin?: ThinSnapshot;'],
    ['  { facts: retryFacts },', '\n  { facts: thinFacts },'],
  ],
  // Its place in the execution.
  'guard/call/admission.ts': [
    [
      '    if (interruption) throw interruption.error;',
      '\n    const thinned = this.#gates.thin?.refusal();\n    if (thinned) throw this.refused(attempt.call, thinned);',
    ],
  ],
};

function edited(text: string, changes: readonly (readonly [string, string])[]): string {
  return changes.reduce((before, [anchor, added]) => {
    if (!before.includes(anchor)) throw new Error(`There is no line \`${anchor}\` any more.`);
    return before.replace(anchor, () => anchor + added);
  }, text);
}

test('a new policy is a folder, its lines in the list, its place in the execution, and the names of its refusals', () => {
  const root = mkdtempSync(join(tmpdir(), 'keelson-new-policy-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  cpSync(join(ROOT, 'src'), join(root, 'src'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(root, 'package.json'));
  cpSync(join(ROOT, 'tsconfig.json'), join(root, 'tsconfig.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));

  const folder = join(root, 'src/policies/thin');
  mkdirSync(folder);
  for (const name of readdirSync(join(FIXTURE, 'thin')))
    cpSync(join(FIXTURE, 'thin', name), join(folder, name.replace(/\.txt$/, '')));
  for (const [file, changes] of Object.entries(EDITS)) {
    const path = join(root, 'src', file);
    writeFileSync(path, edited(readFileSync(path, 'utf8'), changes));
  }
  cpSync(join(FIXTURE, 'use.ts.txt'), join(root, 'use.ts'));
  writeFileSync(
    join(root, 'tsconfig.policy.json'),
    JSON.stringify({ extends: './tsconfig.json', include: ['src/index.ts', 'use.ts'], exclude: [] }),
  );

  execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.policy.json'], { cwd: root });
  const printed = execFileSync(process.execPath, ['use.ts'], { cwd: root, encoding: 'utf8' });
  expect(JSON.parse(printed)).toEqual({
    described: 'payments\n  thin: every 2. call\n    bulkhead: 10 at a time, 0 in the queue\n      call',
    outcomes: ['rejected', 'success', 'rejected', 'success'],
    thin: { every: 2 },
    rejections: { 'thin/thinned': 2, 'bulkhead/full': 0 },
    problem: 'ConfigError: guard "misspelt": Unknown option `thin.evry`. Did you mean `every`?',
    warnings: ['guard "pointless": thin.every of 1 lets every call through. Leave it out.'],
  });
  expect(Object.keys(EDITS)).toHaveLength(3);
});
