import { context } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import type { Instrumentation } from '@opentelemetry/instrumentation';
import { errorReason } from '../../core/error-line.ts';
import type { Warn } from '../warnings/warner.ts';
import { isChosen } from './app-instrumentations.ts';
import type { InstrumentationChoice } from './app-instrumentations.ts';

const ignoreOwnRequests = (): boolean => isTracingSuppressed(context.active());

/**
 * http is made disabled, and enabled with its providers: enabled in its constructor, instrumentation-http 0.301 patches modules that are
 * loaded already before its own fields are set, forgets that, and patches them again for CommonJS: two spans for one `http.get`.
 * Our own requests to receivers run with tracing suppressed; without the hooks they would still be measured.
 * Each package is loaded by itself: npm may have placed one of them beside an older API, with which it does not link.
 */
const OWN: readonly {
  readonly name: 'http' | 'undici';
  readonly package: string;
  /** What is not traced without it. */
  readonly covers: string;
  readonly make: () => Promise<Instrumentation>;
}[] = [
  {
    name: 'http',
    package: '@opentelemetry/instrumentation-http',
    covers: 'node:http',
    make: async () => {
      const { HttpInstrumentation } = await import('@opentelemetry/instrumentation-http');
      return new HttpInstrumentation({ enabled: false, ignoreOutgoingRequestHook: ignoreOwnRequests });
    },
  },
  {
    name: 'undici',
    package: '@opentelemetry/instrumentation-undici',
    covers: 'fetch',
    make: async () => {
      const { UndiciInstrumentation } = await import('@opentelemetry/instrumentation-undici');
      return new UndiciInstrumentation({ ignoreRequestHook: ignoreOwnRequests });
    },
  },
];

/**
 * Makes the instrumentations that come with Keelson and that the variables leave on. One that cannot be loaded or made is left out with a warning.
 * @returns a promise of instrumentations that still need their providers; rejects only where a file of this package is missing
 */
export async function makeOwnInstrumentations(
  choice: InstrumentationChoice,
  warn: Warn,
): Promise<readonly Instrumentation[]> {
  const chosen = OWN.filter(({ name }) => isChosen(name, choice));
  const made = await Promise.all(
    chosen.map(async ({ name, package: packageName, covers, make }) => {
      try {
        return await make();
      } catch (error) {
        const { reportVersions } = await import('./installed-versions.ts');
        const { found, remedy } = reportVersions([packageName]);
        warn(
          `instrumentation:${name}`,
          `${packageName} stays off (${errorReason(error)}); found: ${found}. ${covers} is not traced, and the rest of the telemetry goes on. ${remedy}`,
        );
        return undefined;
      }
    }),
  );
  return made.filter((instrumentation) => instrumentation !== undefined);
}
