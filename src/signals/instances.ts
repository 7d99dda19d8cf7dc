/** The signals of an instance, as the rest of the process knows them. */
interface Instance {
  /** Follows the providers that are in force now. */
  bind(): void;
  /** The metrics that each guard has, by the name of the guard. Older copies of the package cannot tell. */
  published?(): Iterable<readonly [guard: string, metrics: readonly string[]]>;
}

const REGISTRY = Symbol.for('keelson.signals.v1');

/** Every instance of the process, those of another copy of the package included. */
function instances(): Set<WeakRef<Instance>> {
  const holder = globalThis as { [REGISTRY]?: Set<WeakRef<Instance>> };
  holder[REGISTRY] ??= new Set();
  return holder[REGISTRY];
}

function living(): Instance[] {
  const found: Instance[] = [];
  for (const reference of instances()) {
    const instance = reference.deref();
    if (instance) found.push(instance);
    else instances().delete(reference);
  }
  return found;
}

/** Makes an instance known to the process for as long as it exists. */
export function addInstance(instance: Instance): void {
  instances().add(new WeakRef(instance));
}

/**
 * Gives every guard that exists its metrics, now. Called when an SDK has just been registered; without it a guard binds at its next call.
 */
export function bindSignals(): void {
  for (const instance of living()) instance.bind();
}

/**
 * The metrics that the guards of the process have now, by the names of the guards. The SDK goes on to report the last values of series that
 * nobody measures any more, such as those of a guard that was disposed: whoever exports them leaves out what is not here.
 * @returns `undefined` where a copy of the package takes part that cannot tell
 */
export function liveSeries(): ReadonlyMap<string, ReadonlySet<string>> | undefined {
  const series = new Map<string, Set<string>>();
  for (const instance of living()) {
    if (!instance.published) return undefined;
    for (const [guard, metrics] of instance.published()) {
      const known = series.get(guard) ?? new Set();
      for (const metric of metrics) known.add(metric);
      series.set(guard, known);
    }
  }
  return series;
}
