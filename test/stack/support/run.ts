import { spawnSync } from 'node:child_process';
import { program, type ProgramName } from './backends.ts';
import { ROOT } from './documents.ts';

/** What a tool answered. */
export interface Answer {
  readonly code: number | null;
  readonly text: string;
}

/** Runs one of the stack's tools to its end, at the root of the repository. */
export function tool(name: ProgramName, ...args: readonly string[]): Answer {
  const result = spawnSync(program(name), args, { cwd: ROOT, encoding: 'utf8', timeout: 110_000 });
  return { code: result.status, text: `${result.stdout}${result.stderr}` };
}
