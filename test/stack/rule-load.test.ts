import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { program } from './support/backends.ts';
import { promQuery } from './support/backend-queries.ts';
import { Child, freePorts } from './support/child.ts';
import { ROOT } from './support/documents.ts';
import { GuardLoad, SERIES_OF_GUARD } from './support/guard-load.ts';
import { getJson, isUp, until } from './support/poll.ts';

const SERVICES = 200;
const GUARDS = 20;
/** Shorter than shipped (15 s), so that the windows of the rules fill in a minute; the rules read no fewer samples than in production. */
const INTERVAL_S = 10;
const EVALUATIONS = 6;
/** A generous bound for a busy machine: a share of the shipped interval. The goal is 100 ms. */
const BOUND_S = 1.5;

let folder: string;
let load: GuardLoad;
let prometheus: Child;
let url: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keelson-rule-load-'));
  load = new GuardLoad(SERVICES, GUARDS);
  const target = await load.listen();
  const [port] = await freePorts(1);
  url = `http://127.0.0.1:${port}`;
  cpSync(join(ROOT, 'dashboards/prometheus/rules'), join(folder, 'rules'), { recursive: true });
  // Those of the objectives run every minute and every five; here as often as the others, so that they are in the figure.
  const slo = join(folder, 'rules', 'slo.yaml');
  writeFileSync(slo, readFileSync(slo, 'utf8').replaceAll(/interval: \w+/g, `interval: ${INTERVAL_S}s`));
  const config = {
    global: { scrape_interval: `${INTERVAL_S}s`, evaluation_interval: `${INTERVAL_S}s` },
    rule_files: [join(folder, 'rules', '*.yaml')],
    scrape_configs: [
      { job_name: 'load', static_configs: [{ targets: [target] }] },
      { job_name: 'prometheus', static_configs: [{ targets: [`127.0.0.1:${port}`] }] },
    ],
  };
  writeFileSync(join(folder, 'prometheus.yml'), stringify(config));
  prometheus = new Child(
    'prometheus',
    program('prometheus'),
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    folder,
  );
  await until('Prometheus', () => isUp(`${url}/-/ready`), 30_000);
}, 60_000);

afterAll(async () => {
  await prometheus?.stop();
  await load?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface RulesAnswer {
  readonly data: {
    readonly groups: readonly {
      readonly name: string;
      readonly evaluationTime: number;
      readonly lastEvaluation: string;
      readonly rules: readonly {
        readonly name: string;
        readonly evaluationTime: number;
        readonly health: string;
      }[];
    }[];
  };
}

type Groups = RulesAnswer['data']['groups'];

const ms = (seconds: number): string => `${(seconds * 1_000).toFixed(0)} ms`;
const total = (groups: Groups): number => groups.reduce((sum, { evaluationTime }) => sum + evaluationTime, 0);

async function evaluated(): Promise<Groups> {
  prometheus.assertRunning();
  const answer = await getJson<RulesAnswer>(`${url}/api/v1/rules`);
  return answer?.data.groups ?? [];
}

describe(`the rules over ${SERVICES} services with ${GUARDS} guards each`, () => {
  test('take a small part of their interval', async () => {
    const rounds: Groups[] = [];
    await until(
      'the evaluations',
      async () => {
        const groups = await evaluated();
        const stamp = groups.map(({ lastEvaluation }) => lastEvaluation).join();
        const seen = rounds.some((each) => each.map(({ lastEvaluation }) => lastEvaluation).join() === stamp);
        const complete = groups.every(({ rules }) => rules.every(({ health }) => health === 'ok'));
        if (complete && !seen) rounds.push(groups);
        return rounds.length > EVALUATIONS * groups.length ? true : undefined;
      },
      110_000,
    );
    const [series] = await promQuery({ prometheus: url, jaeger: '' }, 'prometheus_tsdb_head_series');
    const later = rounds.slice(rounds.length / 2).toSorted((a, b) => total(a) - total(b));
    const [best, median] = [later.at(0) ?? [], later.at(later.length / 2) ?? []];
    const dearest = best
      .flatMap(({ rules }) => rules)
      .toSorted((a, b) => b.evaluationTime - a.evaluationTime)
      .slice(0, 10);
    console.log(
      [
        `${SERVICES * GUARDS} guards with ${SERIES_OF_GUARD} series each, ${series?.value[1]} series in all`,
        `all groups together: best ${ms(total(best))}, median ${ms(total(median))} (goal 100 ms, bound ${ms(BOUND_S)})`,
        ...best.map(({ name, evaluationTime }) => `  ${ms(evaluationTime).padStart(8)} ${name}`),
        ...dearest.map(({ name, evaluationTime }) => `    ${ms(evaluationTime).padStart(8)} ${name}`),
      ].join('\n'),
    );
    expect(best.map(({ name }) => name)).toContain('keelson-guards');
    expect(total(best)).toBeLessThan(BOUND_S);
  });
});
