export type { CallContext, CallOptions, GuardedFunction } from './call.ts';
export { Guard } from './guard.ts';
export type { CockatielPolicy } from './cockatiel-view.ts';
export type { Keelson, KeelsonOptions } from './keelson.ts';
export { createKeelson, defaultKeelson, guard, observe, registry } from './keelson.ts';
export type { ObserveOptions } from './observe.ts';
export type { GuardOptions, KeyOptions, SpanOptions } from './options.ts';
export type { GuardSnapshot } from './snapshot.ts';
