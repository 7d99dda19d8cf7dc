export { answerExcerpt, isMarkup } from './answer-excerpt.ts';
export { readField, Redactor } from './redactor.ts';
export type { PlainRecord, PlainValue } from './redactor.ts';
