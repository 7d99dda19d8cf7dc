export { systemCode, systemFiles } from './file-port.ts';
export type { FileFacts, FilePort } from './file-port.ts';
export { Home } from './home.ts';
export { JsonLinesWriter, jsonLinesDefaults } from './json-lines-writer.ts';
export type { JsonLinesWriterOptions } from './json-lines-writer.ts';
