import type { Attributes, MeterProvider } from '@opentelemetry/api';

/** Takes the exemplars of one series. */
export interface ExemplarSeries {
  /** @param value what was recorded in the histogram, for a call whose span is sampled */
  offer(value: number, traceId: string, spanId: string): void;
}

/** Where exemplars go. The SDK has no place for them (3.1): what starts it offers one. */
export interface ExemplarPort {
  /** Whose data points the exemplars go with. */
  readonly meterProvider: MeterProvider;
  /**
   * @param bounds the bounds of the histogram, ascending
   * @returns `undefined` where it keeps no more series
   */
  series(instrument: string, bounds: readonly number[], attributes: Attributes): ExemplarSeries | undefined;
}

const PORT = Symbol.for('keelson.exemplars.v1');

/** The port of the process; `undefined` while nobody wants exemplars. */
export function exemplarPort(): ExemplarPort | undefined {
  const holder = globalThis as { [PORT]?: ExemplarPort };
  return holder[PORT];
}

/** Offers a port to all guards of the process, those of another copy of the package included, or takes it away; `bindSignals()` makes it known. */
export function setExemplarPort(port: ExemplarPort | undefined): void {
  const holder = globalThis as { [PORT]?: ExemplarPort | undefined };
  holder[PORT] = port;
}
