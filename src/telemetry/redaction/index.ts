export { answerExcerpt, isMarkup } from './answer-excerpt.ts';
export { Redactor } from './redactor.ts';
export type { PlainRecord, PlainValue } from './redactor.ts';
