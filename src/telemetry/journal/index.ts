export { Journal } from './journal.ts';
export { capDefaults } from './keeping/caps.ts';
export type { SetAside } from './rejected-folder.ts';
export type { Place } from './segment.ts';
export type { SignalJournal, Waiting } from './signal-journal.ts';
