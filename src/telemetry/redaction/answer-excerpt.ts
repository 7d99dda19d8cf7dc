import { Redactor } from './redactor.ts';

/** How many characters of an answer to read. The beginning of a page shows what it is. */
const MAX_READ = 8_192;
const MARKUP = /^\s*</;
const redactor = new Redactor();

/** Whether an answer is a page for people, or other markup. No receiver of telemetry answers with one. */
export function isMarkup(contentType: string | undefined, text: string): boolean {
  return contentType?.includes('html') === true || MARKUP.test(text);
}

/**
 * The beginning of an answer, for a message: on one line, without secrets, markup and control characters.
 * @param maxLength the longest result in characters; a longer one is cut and ends in `...`. @defaultValue 80
 */
export function answerExcerpt(text: string, maxLength = 80): string {
  const start = text.slice(0, MAX_READ);
  const plain = MARKUP.test(start)
    ? start.replaceAll(/<(script|style)\b[^]*?<\/\1\s*>/gi, ' ').replaceAll(/<[^>]*>/g, ' ')
    : start;
  const words = redactor
    .text(plain)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return words.length > maxLength ? `${words.slice(0, maxLength)}...` : words;
}
