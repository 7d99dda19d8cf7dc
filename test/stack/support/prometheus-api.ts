import { getJson } from './poll.ts';

/** The labels of one series, its name among them. */
export type SeriesLabels = Readonly<Record<string, string>>;

/** An exemplar as Prometheus keeps it. */
export interface StoredExemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: string;
  /** Epoch seconds. */
  readonly timestamp: number;
}

/** The exemplars of one series. */
export interface ExemplarSeries {
  readonly seriesLabels: SeriesLabels;
  readonly exemplars: readonly StoredExemplar[];
}

const MARGIN_S = 600;

async function ask<T>(prometheus: string, path: string, parameters: Record<string, string>): Promise<T> {
  const now = Date.now() / 1_000;
  const query = new URLSearchParams({
    ...parameters,
    start: String(now - MARGIN_S),
    end: String(now + MARGIN_S),
  });
  const answer = await getJson<{ readonly data: T }>(`${prometheus}/api/v1/${path}?${query.toString()}`);
  if (!answer) throw new Error(`${prometheus} does not answer ${path}.`);
  return answer.data;
}

/** @returns all series that a selector finds, of the last minutes */
export function seriesOf(prometheus: string, selector: string): Promise<readonly SeriesLabels[]> {
  return ask(prometheus, 'series', { 'match[]': selector });
}

/** @returns the exemplars of the series that a selector finds */
export function exemplarsOf(prometheus: string, selector: string): Promise<readonly ExemplarSeries[]> {
  return ask(prometheus, 'query_exemplars', { query: selector });
}

/** @returns the type that Prometheus keeps of each metric */
export async function typesOf(prometheus: string): Promise<ReadonlyMap<string, string>> {
  const found = await ask<Readonly<Record<string, readonly { readonly type: string }[]>>>(
    prometheus,
    'metadata',
    {},
  );
  return new Map(Object.entries(found).map(([name, [first]]) => [name, first?.type ?? '']));
}

/** @returns what an expression gives now: each series as its labels and its value, in order */
export async function valuesOf(prometheus: string, expression: string): Promise<readonly string[]> {
  const query = new URLSearchParams({ query: expression });
  const answer = await getJson<{
    readonly data: {
      readonly result: readonly { readonly metric: SeriesLabels; readonly value: readonly unknown[] }[];
    };
  }>(`${prometheus}/api/v1/query?${query.toString()}`);
  if (!answer) throw new Error(`${prometheus} refuses ${expression}.`);
  return answer.data.result
    .map(({ metric, value }) => `${JSON.stringify(metric)} ${String(value[1])}`)
    .toSorted((a, b) => (a < b ? -1 : 1));
}
