export { systemCode, systemFiles } from './file-port.ts';
export type { FileFacts, FilePort } from './file-port.ts';
export { DEFAULT_HOME, Home } from './home.ts';
export type { HomeOptions } from './home.ts';
export { JsonLinesWriter, jsonLinesDefaults, WRITE_LOSS_REASONS } from './json-lines-writer.ts';
export type {
  AppendResult,
  JsonLinesWriterOptions,
  WriteLossReason,
  WriterStats,
} from './json-lines-writer.ts';
