import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type GuardOptions, presets } from '../../src/index.ts';
import { promQuery } from './support/backend-queries.ts';
import { program } from './support/backends.ts';
import { Child, freePorts } from './support/child.ts';
import { at, ROOT, shipped, type Value } from './support/documents.ts';
import { guardExports, sendFleet } from './support/guard-fleet.ts';
import { getJson, isUp, until } from './support/poll.ts';
import { shippedFlags } from './support/stack.ts';
import { milliseconds } from './support/timings.ts';

const SERVICES = 200;
const GUARDS = 20;
/** As many exports as fill the windows of five minutes, and most of that of fifteen. */
const EXPORTS = 10;
/** Every group is evaluated as often; shipped are 15 s to 5 min. */
const INTERVAL_S = 4;
const EVALUATIONS = 8;
const GOAL_S = 0.1;
/** The shipped interval of groups that have none of their own. */
const EVERY_MS = 15_000;
const RULES = join(ROOT, 'dashboards/prometheus/rules');
/** Generous bounds of the best, since the median of a busy machine says what else it does. */
const FLEETS: readonly (readonly [name: string, options: readonly GuardOptions[], boundS: number])[] = [
  ['the shipped presets in turn', Object.values(presets), 1],
  [
    'every policy on every guard',
    [
      {
        ...presets.http,
        rateLimit: { limit: 1_000, per: '1s' },
        fallback: { value: undefined },
        keys: { max: 10 },
      },
    ],
    1.5,
  ],
];

const ends: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** The shipped configuration of Prometheus, but for who is scraped and told, and for the intervals. @returns its address */
async function startPrometheus(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-rule-load-'));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  const [port] = await freePorts(1);
  mkdirSync(join(folder, 'rules'));
  for (const file of readdirSync(RULES)) {
    const text = readFileSync(join(RULES, file), 'utf8').replaceAll(
      /interval: \w+/g,
      `interval: ${INTERVAL_S}s`,
    );
    writeFileSync(join(folder, 'rules', file), text);
  }
  const { document } = shipped('dashboards/prometheus/prometheus.yml');
  const config = {
    global: { scrape_interval: '15s', evaluation_interval: `${INTERVAL_S}s` },
    otlp: at(document, ['otlp']),
    storage: at(document, ['storage']),
    rule_files: [join(folder, 'rules', '*.yaml')],
    scrape_configs: [{ job_name: 'prometheus', static_configs: [{ targets: [`127.0.0.1:${port}`] }] }],
  };
  writeFileSync(join(folder, 'prometheus.yml'), stringify(config));
  const prometheus = new Child(
    'prometheus',
    program('prometheus'),
    [
      ...shippedFlags('prometheus', '--config.file', '--storage.tsdb.path'),
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    folder,
  );
  ends.push(() => prometheus.stop());
  const url = `http://127.0.0.1:${port}`;
  await until(
    'Prometheus',
    async () => {
      prometheus.assertRunning();
      return isUp(`${url}/-/ready`);
    },
    30_000,
  );
  return url;
}

interface RulesAnswer {
  readonly data: { readonly groups: readonly Evaluated[] };
}

interface Evaluated {
  readonly name: string;
  /** Seconds. */
  readonly evaluationTime: number;
  readonly lastEvaluation: string;
  readonly rules: readonly {
    readonly name: string;
    readonly evaluationTime: number;
    readonly health: string;
  }[];
}

/** Collects evaluations of every group until there are enough of each; they do not fall together. */
async function evaluations(url: string): Promise<ReadonlyMap<string, readonly Evaluated[]>> {
  const seen = new Map<string, Map<string, Evaluated>>();
  const since = Date.now();
  await until(
    'the evaluations',
    async () => {
      const answer = await getJson<RulesAnswer>(`${url}/api/v1/rules`);
      for (const group of answer?.data.groups ?? []) {
        const all = seen.get(group.name) ?? new Map<string, Evaluated>();
        if (Date.parse(group.lastEvaluation) > since) all.set(group.lastEvaluation, group);
        seen.set(group.name, all);
      }
      return seen.size > 0 && [...seen.values()].every(({ size }) => size >= EVALUATIONS) ? true : undefined;
    },
    EVALUATIONS * INTERVAL_S * 1_000 * 2,
  );
  return new Map([...seen].map(([name, all]) => [name, [...all.values()]]));
}

const ms = (seconds: number): string => `${(seconds * 1_000).toFixed(0)} ms`;
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

/** How long all groups take together, by a figure of each. */
function together(groups: ReadonlyMap<string, readonly Evaluated[]>, of: typeof median): number {
  return sum([...groups.values()].map((rounds) => of(rounds.map(({ evaluationTime }) => evaluationTime))));
}

/** Milliseconds of every fifteen seconds, at the intervals that are shipped. */
function amortized(groups: ReadonlyMap<string, readonly Evaluated[]>): number {
  const intervals = shippedIntervals();
  return sum(
    [...groups].map(([name, rounds]) => {
      const time = median(rounds.map(({ evaluationTime }) => evaluationTime));
      return (time * EVERY_MS) / (intervals.get(name) ?? EVERY_MS);
    }),
  );
}

/** How often each group is evaluated that has an interval of its own. Milliseconds. */
function shippedIntervals(): ReadonlyMap<string, number> {
  const files = readdirSync(RULES).map((file) => shipped(`dashboards/prometheus/rules/${file}`).document);
  const groups = files.flatMap((document) => at(document, ['groups']) as readonly Value[]);
  return new Map(
    groups.flatMap((group) => {
      const [name, interval] = [at(group, ['name']), at(group, ['interval'])];
      return typeof name === 'string' && interval !== undefined ? [[name, milliseconds(interval)]] : [];
    }),
  );
}

/** The dearest rules by their median, with the groups. */
function shares(groups: ReadonlyMap<string, readonly Evaluated[]>): readonly string[] {
  return [...groups].flatMap(([name, rounds]) => {
    const rules = (rounds[0]?.rules ?? []).map((rule, index) => ({
      name: rule.name,
      time: median(rounds.map((round) => round.rules[index]?.evaluationTime ?? 0)),
    }));
    const dearest = rules.filter(({ time }) => time >= 0.002).toSorted((a, b) => b.time - a.time);
    return [
      `  ${ms(median(rounds.map(({ evaluationTime }) => evaluationTime))).padStart(8)} ${name}`,
      ...dearest.map((rule) => `    ${ms(rule.time).padStart(8)} ${rule.name}`),
    ];
  });
}

describe(`the rules over ${SERVICES} services with ${GUARDS} guards each`, () => {
  test.each(FLEETS)('take a small part of their interval: %s', async (name, options, boundS) => {
    const url = await startPrometheus();
    const guards = Array.from({ length: GUARDS }, (_, index) => options[index % options.length] ?? {});
    const service = await guardExports(guards, EXPORTS);
    await sendFleet(url, service, SERVICES);
    const groups = await evaluations(url);
    const [series] = await promQuery({ prometheus: url, jaeger: '' }, 'prometheus_tsdb_head_series');
    const [troubled] = await promQuery(
      { prometheus: url, jaeger: '' },
      'count(guard_in_trouble:calls_ran:rate5m)',
    );
    const all = together(groups, median);
    const best = together(groups, (times) => Math.min(...times));
    console.log(
      [
        `${name}: ${SERVICES * GUARDS} guards with ${service.seriesOfGuard.toFixed(0)} series each, ${series?.value[1]} series in all`,
        `all groups together, once: median ${ms(all)}, best ${ms(best)} (goal ${ms(GOAL_S)}, bound ${ms(boundS)})`,
        `of every ${EVERY_MS / 1_000} s, at the shipped intervals: ${ms(amortized(groups))}`,
        ...shares(groups),
      ].join('\n'),
    );
    expect(troubled?.value[1]).toBe(String(SERVICES));
    expect(
      [...groups.values()].flatMap((rounds) =>
        rounds.flatMap(({ rules }) => rules.filter(({ health }) => health !== 'ok')),
      ),
    ).toEqual([]);
    expect(best).toBeLessThan(boundS);
  });
});
