export type { ResolvedTimeout, TimeoutOptions } from './options.ts';
export type { TimeoutPolicy } from './timeout.ts';
export { timeout } from './timeout.ts';
export { timeoutFacts } from './facts.ts';
