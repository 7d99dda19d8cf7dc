export { firstItemTime } from './first-item-time.ts';
export { countItems, itemMarkOverlap } from './item-count.ts';
export { requestOf } from './shape.ts';
export type { JsonObject } from './shape.ts';
export { splitRequest } from './split-request.ts';
export type { RequestPart } from './split-request.ts';
