/** Metrics that follow the providers of the OpenTelemetry API. */
export interface Bound {
  /** Follows the providers that are in force now. Does nothing if they are the same; never throws. */
  bind(): void;
  /** The metrics that each guard has, by the name of the guard. Older copies of the package cannot tell. */
  published?(): Iterable<readonly [guard: string, metrics: readonly string[]]>;
}

const REGISTRY = Symbol.for('keelson.signals.v1');

/** Every {@link Bound} of the process, those of another copy of the package included. */
function registry(): Set<WeakRef<Bound>> {
  const holder = globalThis as { [REGISTRY]?: Set<WeakRef<Bound>> };
  holder[REGISTRY] ??= new Set();
  return holder[REGISTRY];
}

function living(): Bound[] {
  const found: Bound[] = [];
  for (const reference of registry()) {
    const bound = reference.deref();
    if (bound) found.push(bound);
    else registry().delete(reference);
  }
  return found;
}

/** {@link bindSignals} reaches `bound` from now on, for as long as something else holds it. */
export function bindWithSignals(bound: Bound): void {
  registry().add(new WeakRef(bound));
}

/**
 * Gives every metric that exists to the SDK that is in force, now. Call it when an SDK has just been registered: without it a guard binds at its next
 * call, and other areas do not bind at all.
 */
export function bindSignals(): void {
  for (const bound of living()) bound.bind();
}

/**
 * The metrics that the guards of the process have now, by the names of the guards. The SDK goes on to report the last values of series that
 * nobody measures any more, such as those of a guard that was disposed: whoever exports them leaves out what is not here.
 * @returns `undefined` if a copy of the package takes part that cannot tell
 */
export function liveSeries(): ReadonlyMap<string, ReadonlySet<string>> | undefined {
  const series = new Map<string, Set<string>>();
  for (const bound of living()) {
    if (!bound.published) return undefined;
    for (const [guard, metrics] of bound.published()) {
      const known = series.get(guard) ?? new Set();
      for (const metric of metrics) known.add(metric);
      series.set(guard, known);
    }
  }
  return series;
}
