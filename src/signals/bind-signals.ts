/** Something that follows the providers of the OpenTelemetry API. */
export interface Bound {
  /** Follows the providers that are in force now. Does nothing if they are the same; never throws. */
  bind(): void;
}

const REGISTRY = Symbol.for('keelson.signals.v1');

/** Every {@link Bound} of the process, those of another copy of the package included. */
function registry(): Set<WeakRef<Bound>> {
  const holder = globalThis as { [REGISTRY]?: Set<WeakRef<Bound>> };
  holder[REGISTRY] ??= new Set();
  return holder[REGISTRY];
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
  for (const reference of registry()) {
    const bound = reference.deref();
    if (bound) bound.bind();
    else registry().delete(reference);
  }
}
