import { constants, PerformanceObserver } from 'node:perf_hooks';
import type { PerformanceEntry } from 'node:perf_hooks';

/** Kinds of garbage collection, as OpenTelemetry's `v8js.gc.type` names them. */
export type GcType = 'major' | 'minor' | 'incremental' | 'weakcb';

const TYPES: ReadonlyMap<unknown, GcType> = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

function typeOf(entry: PerformanceEntry): GcType | undefined {
  const detail: unknown = 'detail' in entry ? entry.detail : undefined;
  return typeof detail === 'object' && detail !== null && 'kind' in detail
    ? TYPES.get(detail.kind)
    : undefined;
}

/**
 * Tells each garbage collection of this process. It keeps no process alive and holds nothing back: what is not taken is gone.
 * @param onCollection takes the type and the duration in seconds; what it throws is dropped
 * @returns a function that ends it
 */
export function observeGc(onCollection: (type: GcType, seconds: number) => void): () => void {
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const type = typeOf(entry);
      if (type === undefined) continue;
      try {
        onCollection(type, entry.duration / 1_000);
      } catch {
        // Node would end the process with what is thrown in here.
      }
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => observer.disconnect();
}
