import type { CommandContext } from '../frame/command.ts';
import { pause } from '../frame/pause.ts';

const EVERY_MS = 500;

/**
 * Asks again until there is an answer, or the time is over.
 * @param waitMs milliseconds
 */
export async function eventually<T>(
  { clock, signal }: Pick<CommandContext, 'clock' | 'signal'>,
  waitMs: number,
  ask: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const end = clock.now() + waitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined || signal.aborted || clock.now() >= end) return answer;
    await pause(clock, EVERY_MS, signal);
  }
}
