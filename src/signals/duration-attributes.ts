import type { Outcome } from '../core/outcome.ts';
import { BoundedLabels, errorType } from './error-type.ts';
import type { ExemplarPort, ExemplarSeries } from './exemplars.ts';
import * as semconv from './semconv.ts';

/** Series of a guard that are kept; more are made anew each time. The SDK keeps no more of an instrument. */
const MAX_SERIES = 2_000;

/** One series of `keelson.call.duration`: its attributes, and where its exemplars go. */
export class DurationSeries {
  readonly attributes: Readonly<Record<string, string>>;
  #port: ExemplarPort | undefined;
  #exemplars: ExemplarSeries | undefined;

  constructor(attributes: Readonly<Record<string, string>>) {
    this.attributes = attributes;
  }

  /** What takes the exemplars of this series at a port; asked for once. */
  exemplars(port: ExemplarPort): ExemplarSeries | undefined {
    if (port !== this.#port) {
      this.#port = port;
      const { name } = semconv.METRIC_CALL_DURATION;
      this.#exemplars = port.series(name, semconv.CALL_DURATION_BOUNDS, this.attributes);
    }
    return this.#exemplars;
  }
}

/** The series of `keelson.call.duration` of one guard: made once for each combination of attributes, and bounded. */
export class DurationAttributes {
  readonly #guard: string;
  readonly #operations: BoundedLabels;
  readonly #errorTypes: BoundedLabels;
  readonly #successes = new Map<string, DurationSeries>();
  readonly #others = new Map<string, DurationSeries>();

  /** @param limit how many operations and how many error types are told apart */
  constructor(guard: string, limit: number) {
    this.#guard = guard;
    this.#operations = new BoundedLabels(limit);
    this.#errorTypes = new BoundedLabels(limit);
  }

  /** The operation as telemetry may name it: itself, or `_OTHER` past the limit. */
  operation(operation: string): string {
    return this.#operations.get(operation);
  }

  /** @param operation as {@link operation} gives it */
  get(operation: string, outcome: Outcome, error: unknown): DurationSeries {
    if (outcome !== 'success' || error !== undefined) {
      const type = this.#errorTypes.get(errorType(error));
      const key = `${outcome} ${type.length} ${type} ${operation}`;
      return (
        this.#others.get(key) ??
        keep(this.#others, key, {
          ...this.#attributes(operation, outcome),
          [semconv.ATTR_ERROR_TYPE]: type,
        })
      );
    }
    return (
      this.#successes.get(operation) ?? keep(this.#successes, operation, this.#attributes(operation, outcome))
    );
  }

  #attributes(operation: string, outcome: Outcome): Record<string, string> {
    return {
      [semconv.ATTR_GUARD_NAME]: this.#guard,
      [semconv.ATTR_OPERATION_NAME]: operation,
      [semconv.ATTR_OUTCOME]: outcome,
    };
  }
}

function keep(
  all: Map<string, DurationSeries>,
  key: string,
  attributes: Readonly<Record<string, string>>,
): DurationSeries {
  const series = new DurationSeries(attributes);
  if (all.size < MAX_SERIES) all.set(key, series);
  return series;
}
