// Controls, and what changes the direction of writing or cannot be seen: they could move the cursor, or make a line look like another one.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text of foreign origin, fit for a terminal: what could steer it is shown as `\u{1b}`. */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
