/** A source of numbers, evenly spread over [0, 1). */
export type Random = () => number;

/** The random source of the machine. It is not meant for secrets. */
export const systemRandom: Random = Math.random;
