import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PROGRAM = join(import.meta.dirname, 'fixtures', 'hammer.ts');

/** What one process got. */
interface Yield {
  readonly granted: number;
  /** When the window granted them, in microseconds on the clock of the store. */
  readonly at: readonly number[];
  /** Wall-clock time before the first question and after the last answer, in milliseconds. */
  readonly from: number;
  readonly to: number;
}

/**
 * Lets two processes take tokens of one key as fast as they can: 100 per second, 10 at once; of a window 10 in any 100 ms.
 * @returns what both got together, what the limit allows in the time that it took, and the most that a window granted in any 100 ms
 */
export async function hammer(
  kind: 'sqlite' | 'redis' | 'postgres',
  address: string,
  forMs: number,
  algorithm: 'bucket' | 'window' = 'bucket',
): Promise<{ readonly granted: number; readonly allowed: number; readonly most: number }> {
  const args = [PROGRAM, kind, address, String(forMs), algorithm];
  const runs = await Promise.all([run(process.execPath, args), run(process.execPath, args)]);
  const yields = runs.map(({ stdout }) => JSON.parse(stdout) as Yield);
  const from = Math.min(...yields.map((each) => each.from));
  const to = Math.max(...yields.map((each) => each.to));
  const granted = yields.reduce((sum, each) => sum + each.granted, 0);
  const at = yields.flatMap((each) => each.at).toSorted((a, b) => a - b);
  const most = Math.max(
    0,
    ...at.map((end) => at.filter((time) => time <= end && end - time < 100_000).length),
  );
  return { granted, allowed: 10 + Math.ceil((to - from + 1) / 10), most };
}
