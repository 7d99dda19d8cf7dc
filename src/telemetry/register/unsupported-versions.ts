import type { Instrumentation } from '@opentelemetry/instrumentation';
import type { Clock } from '../../core/time/clock.ts';
import type { Warn } from '../warnings/warner.ts';
import { nameOf } from './enabled-instrumentations.ts';

/** When most applications have loaded what they use. */
const LOOK_AFTER_MS = 10_000;

/** What is looked at of a definition: `moduleVersion` is set when a module is loaded, `moduleExports` only where its version is supported. */
interface Definition {
  readonly name: string;
  readonly supportedVersions: readonly string[];
  readonly patch?: unknown;
  readonly moduleVersion?: string | undefined;
  readonly moduleExports?: unknown;
}

/** Those that are in use: `getModuleDefinitions` makes new ones. */
function definitionsOf(instrumentation: Instrumentation): readonly Definition[] {
  const list: unknown = Reflect.get(instrumentation, '_modules');
  return Array.isArray(list) ? (list as readonly Definition[]) : [];
}

/** Says which packages an instrumentation leaves alone because of their version. */
function lookAt(instrumentation: Instrumentation, warn: Warn): void {
  for (const [name, definitions] of Map.groupBy(definitionsOf(instrumentation), (each) => each.name)) {
    const version = definitions.find(({ moduleVersion }) => moduleVersion !== undefined)?.moduleVersion;
    const isPatched = definitions.some(
      ({ patch, moduleExports }) => typeof patch !== 'function' || moduleExports !== undefined,
    );
    if (version === undefined || isPatched) continue;
    const instrumentationName = nameOf(instrumentation);
    const ranges = definitions.flatMap(({ supportedVersions }) => supportedVersions).join(' || ');
    warn(
      `instrumentation:version:${instrumentationName}:${name}`,
      `${instrumentationName} knows ${name} ${ranges}, and ${version} is loaded: it is not instrumented. Take versions that fit together, or leave the ` +
        'instrumentation out with OTEL_NODE_DISABLED_INSTRUMENTATIONS.',
    );
  }
}

/**
 * Says, once the application has loaded what it uses, which of it an instrumentation leaves alone because of its version: OpenTelemetry says
 * nothing, and traces or log records would be missing without a reason. Its timer keeps no process alive.
 */
export function watchVersions(instrumentations: readonly Instrumentation[], clock: Clock, warn: Warn): void {
  const look = (): void => {
    for (const instrumentation of instrumentations) {
      try {
        lookAt(instrumentation, warn);
      } catch {
        // Its definitions are none of OpenTelemetry's: there is nothing to compare.
      }
    }
  };
  clock.setTimer(look, LOOK_AFTER_MS).unref();
}
