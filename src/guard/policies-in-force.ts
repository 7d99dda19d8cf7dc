import type { Cache } from '../policies/cache/index.ts';
import { OuterLayers } from './call/outer-layers.ts';
import { Pipeline } from './call/pipeline.ts';
import type { Reporter, Seats } from './call/reporter.ts';
import type { ShortPath } from './call/short-path.ts';
import { shortPathFor } from './call/short-path.ts';
import type { ResolvedGuard } from './options/options.ts';
import { POLICIES, under } from './options/policies.ts';

/** The policies of a guard, or of one of its keys, with their state: all ways that a call can take. */
export class PoliciesInForce {
  options: ResolvedGuard;
  pipeline: Pipeline;
  /** For a call that waits for nothing. */
  shortPath: ShortPath | undefined;
  /** Fallback and cache. */
  outerLayers: OuterLayers | undefined;
  /** Whether the key of these policies has others by now. */
  isForgotten = false;
  /** The key whose state this is; that of the guard itself has none. */
  readonly key: string | undefined;
  readonly #reporter: Reporter;
  readonly #seats: Seats;

  /** @param cache that of the guard, which its keys share */
  constructor(
    options: ResolvedGuard,
    cache: Cache | undefined,
    reporter: Reporter,
    seats: Seats,
    key: string | undefined,
  ) {
    this.options = options;
    this.key = key;
    this.#reporter = reporter;
    this.#seats = seats;
    this.pipeline = new Pipeline(options, reporter, seats, key);
    this.shortPath = this.#newShortPath();
    this.outerLayers = this.#newOuterLayers(cache);
  }

  /** Changes the options. A policy whose options are the very same goes on as it is. */
  update(options: ResolvedGuard, cache: Cache | undefined): void {
    this.pipeline = new Pipeline(options, this.#reporter, this.#seats, this.key, this.pipeline);
    this.options = options;
    this.shortPath = this.#newShortPath();
    this.outerLayers = this.#newOuterLayers(cache);
  }

  /** Whether a call is on its way, or a policy would let through or lose something if its state were forgotten. */
  get isBusy(): boolean {
    const { calls, mechanisms } = this.pipeline;
    return (
      calls.running > 0 ||
      POLICIES.some((facts) => {
        const mechanism = under(mechanisms, facts);
        return mechanism !== undefined && (facts.isBusy?.(mechanism) ?? false);
      })
    );
  }

  #newShortPath(): ShortPath | undefined {
    return shortPathFor(this.options, this.pipeline, this.#reporter);
  }

  #newOuterLayers(cache: Cache | undefined): OuterLayers | undefined {
    const { fallback } = this.options;
    if (!cache && !fallback) return undefined;
    return new OuterLayers({ cache, fallback }, this.pipeline.calls, this.#seats.clock, this.#reporter);
  }
}
