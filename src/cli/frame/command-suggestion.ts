import { editDistance } from '../../core/options.ts';
import type { Area, Command } from './command.ts';

const MAX_DISTANCE = 3;
/** Above this share of a word's letters, another word is no typing error of it. */
const MAX_SHARE = 0.6;
/** A command of another area is what was meant only where none of the area that was named is as near. */
const OTHER_AREA = 0.5;

/**
 * The commands that an unknown one may have been meant as, as whole paths: `telemetry status`.
 * @param words what was typed, without options
 * @returns the nearest, several where they are as near, none where nothing is
 */
export function suggestCommands(
  words: readonly string[],
  entries: readonly (Area | Command)[],
): readonly string[] {
  const [first = '', second] = words;
  const isArea = entries.some((entry) => 'commands' in entry && entry.name === first);
  const unknown = isArea ? second : first;
  if (unknown === undefined) return [];
  const found: { readonly path: string; readonly score: number }[] = [];
  for (const entry of entries) {
    const commands = 'commands' in entry ? entry.commands : [];
    // Where two words were typed, an area alone says less than a command of it.
    const lacks = commands.length > 0 && second !== undefined ? 2 * MAX_DISTANCE : 0;
    if (!isArea) found.push({ path: entry.name, score: distance(first, entry.name) + lacks });
    for (const { name } of commands) {
      const whole =
        second === undefined
          ? Number.POSITIVE_INFINITY
          : distance(first, entry.name) + distance(second, name);
      const last = distance(unknown, name) + OTHER_AREA;
      found.push({ path: `${entry.name} ${name}`, score: Math.min(whole, last) });
    }
  }
  const best = Math.min(...found.map(({ score }) => score));
  return Number.isFinite(best) ? found.filter(({ score }) => score === best).map(({ path }) => path) : [];
}

/** How many letters are to be changed; infinite where the words are not alike. */
function distance(typed: string, word: string): number {
  const letters = editDistance(typed, word);
  const longest = Math.max(typed.length, word.length);
  return letters <= MAX_DISTANCE && letters < longest * MAX_SHARE ? letters : Number.POSITIVE_INFINITY;
}
