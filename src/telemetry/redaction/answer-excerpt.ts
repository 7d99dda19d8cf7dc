import { Redactor } from './redactor.ts';

/** Read of an answer at most; a page says what it is at its beginning. */
const MAX_READ = 8_192;
const MARKUP = /^\s*</;
const redactor = new Redactor();

/** Whether an answer is a page for people, or other markup: no receiver of telemetry answers so. */
export function isMarkup(contentType: string | undefined, text: string): boolean {
  return contentType?.includes('html') === true || MARKUP.test(text);
}

/**
 * The beginning of what somebody else answered, for a message: without secrets and markup, on one line, and without what steers a terminal.
 * @param maxLength in characters
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
