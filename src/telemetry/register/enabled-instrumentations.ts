import { registerInstrumentations } from '@opentelemetry/instrumentation';
import type { Instrumentation } from '@opentelemetry/instrumentation';
import { errorLine } from '../../core/error-line.ts';
import type { Warn } from '../warnings/warner.ts';

/** What an instrumentation is called in messages; other libraries make it, so that it may be anything. */
export function nameOf(instrumentation: Instrumentation): string {
  try {
    const name: unknown = Reflect.get(instrumentation, 'instrumentationName');
    return typeof name === 'string' && name !== '' ? name : 'An instrumentation without a name';
  } catch {
    return 'An instrumentation without a name';
  }
}

/** A module, or a file of one, with the function that changes what it exports. */
type Patched = Record<'patch' | 'unpatch' | 'files', unknown>;

function patchedBy(instrumentation: Instrumentation): readonly Patched[] {
  const modules: unknown = Reflect.get(instrumentation, '_modules');
  if (!Array.isArray(modules)) return [];
  return (modules as readonly Patched[]).flatMap((module) => [
    module,
    ...(Array.isArray(module.files) ? (module.files as readonly Patched[]) : []),
  ]);
}

/**
 * Keeps what a patch throws away from the `require` or `import` of the application in which it runs: the module loads, and what the patch did
 * not reach is not instrumented.
 */
function guardPatches(instrumentation: Instrumentation, warn: Warn): void {
  for (const patched of patchedBy(instrumentation)) {
    for (const key of ['patch', 'unpatch'] as const) {
      const original = patched[key];
      if (typeof original !== 'function') continue;
      patched[key] = (...values: readonly unknown[]): unknown => {
        try {
          return Reflect.apply(original, patched, values);
        } catch (error) {
          const name = nameOf(instrumentation);
          warn(
            `instrumentation:patch:${name}`,
            `${name} cannot instrument a module: ${errorLine(error)} The application has the module without it. Take versions that fit together.`,
          );
          return values[0];
        }
      };
    }
  }
}

function disable(instrumentation: Instrumentation): void {
  try {
    instrumentation.disable();
  } catch {
    // It has failed already, and that was said.
  }
}

/**
 * Gives instrumentations their providers and enables them, each by itself: one that fails is disabled again with a warning. Never throws.
 */
export function enableInstrumentations(instrumentations: readonly Instrumentation[], warn: Warn): void {
  for (const instrumentation of instrumentations) {
    try {
      guardPatches(instrumentation, warn);
      registerInstrumentations({ instrumentations: [instrumentation] });
    } catch (error) {
      const name = nameOf(instrumentation);
      warn(`instrumentation:${name}`, `${name} cannot be enabled: ${errorLine(error)} The rest goes on.`);
      disable(instrumentation);
    }
  }
}

/** Takes the patches of instrumentations back. Never throws. */
export function disableInstrumentations(instrumentations: readonly Instrumentation[]): void {
  for (const instrumentation of instrumentations) disable(instrumentation);
}
