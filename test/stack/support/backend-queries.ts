import { getJson, until } from './poll.ts';

/** Where the backends answer. */
export interface Addresses {
  readonly prometheus: string;
  readonly jaeger: string;
}

/** How long telemetry may take from a service to a backend, with the timing overlay. */
export const ARRIVAL_MS = 15_000;

/** One series of a Prometheus answer. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

/** @returns what an instant query gives; throws with Prometheus' own words where it is wrong */
export async function promQuery(stack: Addresses, query: string): Promise<readonly Sample[]> {
  const response = await fetch(
    `${stack.prometheus}/api/v1/query?${new URLSearchParams({ query }).toString()}`,
  );
  const answer = (await response.json()) as {
    readonly data?: { readonly result: readonly Sample[] };
    readonly error?: string;
  };
  if (answer.data === undefined) throw new Error(`${query}: ${answer.error}`);
  return answer.data.result;
}

/** @returns what an instant query gives, once it gives anything */
export function arrived(stack: Addresses, query: string): Promise<readonly Sample[]> {
  return until(
    query,
    async () => {
      const found = await promQuery(stack, query);
      return found.length > 0 ? found : undefined;
    },
    ARRIVAL_MS,
  );
}

/** @returns how many samples other than 0 a query gives over the last minutes, as a panel would ask for them */
export async function panelSamples(stack: Addresses, query: string): Promise<number> {
  const now = Date.now() / 1_000;
  const range = new URLSearchParams({ query, start: String(now - 300), end: String(now), step: '1' });
  const response = await fetch(`${stack.prometheus}/api/v1/query_range?${range.toString()}`);
  const answer = (await response.json()) as {
    readonly data?: {
      readonly result: readonly { readonly values: readonly (readonly [number, string])[] }[];
    };
    readonly error?: string;
  };
  if (answer.data === undefined) throw new Error(`${query}: ${answer.error}`);
  return answer.data.result.flatMap(({ values }) => values).filter(([, value]) => Math.abs(Number(value)) > 0)
    .length;
}

/** Waits until a panel's query gives samples other than 0. @returns how many; 0 after the bound */
export async function shownSamples(
  stack: Addresses,
  query: string,
  limitMs: number = ARRIVAL_MS,
): Promise<number> {
  const ask = async (): Promise<number | undefined> => (await panelSamples(stack, query)) || undefined;
  return until(query, ask, limitMs).catch(() => 0);
}

/** A span as Jaeger's API shows it. */
export interface JaegerSpan {
  readonly spanID: string;
  readonly operationName: string;
  readonly startTime: number;
  readonly processID: string;
  readonly references: readonly { readonly refType: 'CHILD_OF' | 'FOLLOWS_FROM'; readonly spanID: string }[];
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
}

/** A trace as Jaeger's API shows it. */
export interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
}

/** @returns a trace by its id, or undefined while Jaeger does not have it */
export async function jaegerTrace(stack: Addresses, traceId: string): Promise<JaegerTrace | undefined> {
  const answer = await getJson<{ readonly data: readonly JaegerTrace[] }>(
    `${stack.jaeger}/api/traces/${traceId}`,
  );
  return answer?.data[0];
}

/** @returns traces of a service that have a span of this name */
export async function jaegerTraces(
  stack: Addresses,
  service: string,
  operation: string,
): Promise<readonly JaegerTrace[]> {
  const query = new URLSearchParams({ service, operation, limit: '1000', lookback: '1h' });
  const answer = await getJson<{ readonly data: readonly JaegerTrace[] }>(
    `${stack.jaeger}/api/traces?${query.toString()}`,
  );
  return answer?.data ?? [];
}

/** @returns the value of a span's attribute */
export function tag(span: JaegerSpan, key: string): unknown {
  return span.tags.find((each) => each.key === key)?.value;
}

/** @returns the ids of the spans that a span links to; its parent is not one of them */
export function linksOf(span: JaegerSpan): readonly string[] {
  return span.references
    .filter((reference) => reference.refType === 'FOLLOWS_FROM')
    .map((reference) => reference.spanID);
}

/** @returns the id of a span's parent */
export function parentOf(span: JaegerSpan): string | undefined {
  return span.references.find((reference) => reference.refType === 'CHILD_OF')?.spanID;
}
