import type { ResolvedGuard } from '../options/options.ts';

/** What a guard shares with the registry that has made it. */
export interface GuardPlace {
  /** The options in force. */
  options: ResolvedGuard;
  /** Gives the name of the guard free. */
  leave(): void;
}
