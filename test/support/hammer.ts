import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PROGRAM = join(import.meta.dirname, 'fixtures', 'hammer.ts');

/** What one process got. */
interface Yield {
  readonly granted: number;
  /** Wall-clock time before the first question and after the last answer, in milliseconds. */
  readonly from: number;
  readonly to: number;
}

/**
 * Lets two processes take tokens of one key as fast as they can: 100 per second, 10 at once.
 * @returns what both got together, and what the limit allows in the time that it took
 */
export async function hammer(
  kind: 'sqlite' | 'redis' | 'postgres',
  address: string,
  forMs: number,
): Promise<{ readonly granted: number; readonly allowed: number }> {
  const args = [PROGRAM, kind, address, String(forMs)];
  const runs = await Promise.all([run(process.execPath, args), run(process.execPath, args)]);
  const yields = runs.map(({ stdout }) => JSON.parse(stdout) as Yield);
  const from = Math.min(...yields.map((each) => each.from));
  const to = Math.max(...yields.map((each) => each.to));
  const granted = yields.reduce((sum, each) => sum + each.granted, 0);
  return { granted, allowed: 10 + Math.ceil((to - from + 1) / 10) };
}
