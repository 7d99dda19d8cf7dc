export type { CallContext, CallOptions, GuardedFunction } from './call.ts';
export type { GuardSnapshot } from './guard.ts';
export { Guard } from './guard.ts';
export type { CockatielPolicy } from './cockatiel-view.ts';
export type { Keelson, KeelsonOptions } from './keelson.ts';
export { createKeelson, defaultKeelson, guard, observe } from './keelson.ts';
export type { ObserveOptions } from './observe.ts';
export type { GuardOptions, SpanOptions } from './options.ts';
