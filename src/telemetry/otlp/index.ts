export { firstItemTime } from './first-item-time.ts';
export { countItems, itemMarkOverlap } from './item-count.ts';
