export { isJsonObject, METRIC_TYPES } from '../shape.ts';
export type { JsonObject } from '../shape.ts';
export {
  attributeOf,
  countOf,
  itemsOf,
  objectsIn,
  parseLine,
  readInt64,
  timeOf,
  withItems,
} from './request.ts';
export type { OtlpItem } from './request.ts';
export { shapeProblems } from './shape-problems.ts';
