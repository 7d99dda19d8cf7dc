export { systemCode, systemFiles } from './file-port.ts';
export type { FileFacts, FilePort } from './file-port.ts';
export { Home } from './home.ts';
export type { HomeOptions } from './home.ts';
export { JsonLinesWriter, jsonLinesDefaults } from './json-lines-writer.ts';
export type { AppendResult, JsonLinesWriterOptions, LinesPlace, WriterStats } from './json-lines-writer.ts';
export { RemoteGate } from './remote-gate.ts';
export type { RemoteGateOptions, StoreListener, StoreQuestion } from './remote-gate.ts';
export type { WriteLossReason } from './write-loss.ts';
