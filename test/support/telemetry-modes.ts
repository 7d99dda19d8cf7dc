import type { LoggerProvider, MeterProvider, TracerProvider } from '@opentelemetry/api';
import type { Keelson, KeelsonOptions } from '../../src/guard/index.ts';
import { createKeelson } from '../../src/guard/index.ts';
import { memoryTelemetry } from './memory-telemetry.ts';

/** The three worlds in which a guard has to give the same results. */
export const TELEMETRY_MODES: readonly (readonly [string, (options: KeelsonOptions) => Keelson])[] = [
  ['without telemetry', (options) => createKeelson(options)],
  [
    'with every span, metric and log on',
    (options) => {
      const { tracerProvider, meterProvider, loggerProvider } = memoryTelemetry();
      const keelson = createKeelson({ ...options, tracerProvider, meterProvider, loggerProvider });
      return listenedTo(keelson, () => {});
    },
  ],
  [
    'with telemetry and listeners that throw at every touch',
    (options) => {
      const keelson = createKeelson({ ...options, ...throwingProviders(0) });
      return listenedTo(keelson, () => {
        throw new Error('a listener that throws');
      });
    },
  ],
  [
    'with spans that begin well and then throw',
    (options) => createKeelson({ ...options, ...throwingProviders(2) }),
  ],
];

function listenedTo(keelson: Keelson, listener: () => void): Keelson {
  return {
    ...keelson,
    guard: (name, options) => {
      const guard = keelson.guard(name, options);
      guard.on(listener);
      return guard;
    },
  };
}

/** Providers whose tracer, meter and logger throw whatever is asked of them; their spans take so many attributes before they do. */
export function throwingProviders(attributesTaken: number): {
  tracerProvider: TracerProvider;
  meterProvider: MeterProvider;
  loggerProvider: LoggerProvider;
} {
  const explode = (): never => {
    throw new Error('telemetry that throws');
  };
  const bomb = new Proxy({}, { get: () => explode });
  const newSpan = (): object => {
    let taken = 0;
    const setAttribute = (): void => {
      taken += 1;
      if (taken > attributesTaken) explode();
    };
    const spanContext = (): object => ({
      traceId: `${'0'.repeat(31)}1`,
      spanId: `${'0'.repeat(15)}1`,
      traceFlags: 1,
    });
    return new Proxy(
      { spanContext, setAttribute, isRecording: () => true },
      { get: (target, key) => Reflect.get(target, key) ?? explode },
    );
  };
  return {
    tracerProvider: { getTracer: () => ({ startSpan: newSpan, startActiveSpan: explode }) } as never,
    meterProvider: { getMeter: () => bomb } as never,
    loggerProvider: { getLogger: () => bomb } as never,
  };
}
