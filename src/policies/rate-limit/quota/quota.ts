/** What a limit of this process counts with. Times are those of the clock of the limiter, in milliseconds. */
export interface Quota {
  /**
   * Takes a token.
   * @param spare tokens that have to be left for others: 0 or more
   * @returns whether there was one; `false` for a time that is no finite number
   */
  take(now: number, spare: number): boolean;
  /** @returns milliseconds until there are `tokens` tokens, 1 or more; above 0 where {@link take} has just refused */
  waitMs(now: number, tokens: number): number;
  /** @returns whole tokens that are there now */
  available(now: number): number;
  /**
   * Takes back a token that was not used.
   * @param takenAt the time of its {@link take}
   */
  giveBack(takenAt: number): void;
}
