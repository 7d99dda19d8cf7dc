export { takeInventory } from './inventory.ts';
export type { JournalInventory, SignalInventory } from './inventory.ts';
