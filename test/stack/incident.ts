import { STATE_MAPPINGS } from '../../dashboards/src/panels/breaker-states.ts';
import { LABEL } from '../../dashboards/src/queries.ts';
import * as semconv from '../../src/signals/semconv.ts';
import {
  ARRIVAL_MS,
  type JaegerSpan,
  type JaegerTrace,
  jaegerTraces,
  linksOf,
  parentOf,
  promQuery,
  tag,
} from './support/backend-queries.ts';
import { dashboardQueries } from './support/dashboard-queries.ts';
import { Demo, faultBefore } from './support/demo.ts';
import { notificationText } from './support/notification-text.ts';
import { getJson, until } from './support/poll.ts';
import { Stack } from './support/stack.ts';
import type { Notice } from './support/webhook.ts';

const ALERT = { alertname: 'CircuitBreakerOpen', service_name: 'storefront', keelson_guard_name: 'payments' };
interface InhibitedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly status: { readonly inhibitedBy: readonly string[] };
}

interface Column {
  readonly title: string;
  /** Of which dashboard and panel. */
  readonly query: string;
  /** Of the series that it finds, those with these labels; they are added up. */
  readonly only?: Readonly<Record<string, string>>;
  readonly show: (value: number) => string;
  /** Where nothing is found; otherwise that is a 0. */
  readonly none?: string;
}

const share = (value: number): string => value.toFixed(3);
const perSecond = (value: number): string => value.toFixed(1);

const TABLE: readonly Column[] = [
  { title: 'calls/s', query: 'keelson-overview: Guards A', show: perSecond },
  { title: 'failed share', query: 'keelson-overview: Guards B', show: share },
  { title: 'p95 (s)', query: 'keelson-overview: Guards C', show: share },
  {
    title: 'breaker',
    query: 'keelson-overview: Breakers A',
    show: (code) => STATE_MAPPINGS[0]?.options[String(code)]?.text ?? String(code),
    none: 'none',
  },
  {
    title: 'rejected/s',
    query: 'keelson-guards: Calls by outcome A',
    only: { [LABEL.outcome]: 'rejected' },
    show: perSecond,
  },
  {
    title: 'stale/s',
    query: 'keelson-guards: Values that stood in A',
    only: { [LABEL.origin]: 'stale' },
    show: perSecond,
  },
];

/** What a notice says in Slack, by the shipped templates. */
function slackText(stack: Stack, notice: Notice): string {
  const { status, labels, annotations } = notice;
  const notification = { status, commonLabels: labels, alerts: [{ status, labels, annotations }] };
  const rendered = (name: string): string => notificationText(name, notification, stack.folder).text.trim();
  return `${rendered('keelson.title')}\n\n${rendered('keelson.slack.text')}`;
}

/** The alerts of the same guard that Alertmanager keeps to itself. */
async function silencedAlerts(stack: Stack): Promise<readonly string[]> {
  const alerts = await getJson<readonly InhibitedAlert[]>(`${stack.alertmanager}/api/v2/alerts`);
  return (alerts ?? [])
    .filter(({ labels }) => labels['keelson_guard_name'] === ALERT.keelson_guard_name)
    .filter(({ status }) => status.inhibitedBy.length > 0)
    .map(({ labels }) => labels['alertname'] ?? '')
    .toSorted();
}

/** What the dashboards say of each guard, as it is now. */
async function guardTable(stack: Stack): Promise<string> {
  const rows = new Map<string, (number | undefined)[]>();
  for (const [column, { query, only }] of TABLE.entries()) {
    const expr = dashboardQueries().find(({ where }) => where === query)?.expr ?? '';
    for (const { metric, value } of await promQuery(stack, expr)) {
      if (Object.entries(only ?? {}).some(([label, wanted]) => metric[label] !== wanted)) continue;
      const key = `${metric[LABEL.service]} | ${metric[LABEL.guard]}`;
      const row = rows.get(key) ?? TABLE.map(() => undefined);
      row[column] = (row[column] ?? 0) + Number(value[1]);
      rows.set(key, row);
    }
  }
  const cell = ({ show, none }: Column, value: number | undefined): string =>
    value === undefined && none !== undefined ? none : show(value ?? 0);
  const lines = [...rows].map(
    ([key, values]) => `| ${key} | ${TABLE.map((each, column) => cell(each, values[column])).join(' | ')} |`,
  );
  const titles = `| service | guard | ${TABLE.map(({ title }) => title).join(' | ')} |`;
  return [titles, `|---|---|${TABLE.map(() => '---|').join('')}`, ...lines].join('\n');
}

async function answer(stack: Stack, query: string): Promise<string> {
  const found = await promQuery(stack, query);
  return found
    .map(({ metric, value }) => `${JSON.stringify(metric)} => ${Number(value[1]).toFixed(3)}`)
    .join('\n');
}

const SHOWN = [
  semconv.ATTR_OUTCOME,
  semconv.ATTR_ATTEMPTS,
  semconv.ATTR_ATTEMPT_NUMBER,
  semconv.ATTR_SUPPRESSED_REASON,
  semconv.ATTR_ERROR_TYPE,
];

/** A trace as a tree, numbered from the top: who called whom, for how long, and how it ended. */
function tree(trace: JaegerTrace): string {
  const start = Math.min(...trace.spans.map(({ startTime }) => startTime));
  const known = new Set(trace.spans.map(({ spanID }) => spanID));
  const below = (parent: string | undefined, depth: number): readonly Shown[] =>
    trace.spans
      .filter(
        (span) => parentOf(span) === parent || (parent === undefined && !known.has(parentOf(span) ?? '')),
      )
      .toSorted((a, b) => a.startTime - b.startTime)
      .flatMap((span) => [{ span, depth }, ...below(span.spanID, depth + 1)]);
  const rows = below(undefined, 0);
  const numbers = new Map(rows.map(({ span }, index) => [span.spanID, index + 1]));
  const line = ({ span, depth }: Shown): string => {
    const service = trace.processes[span.processID]?.serviceName;
    const attributes = SHOWN.flatMap((key) => {
      const value = tag(span, key);
      return typeof value === 'string' || typeof value === 'number' ? [`${key}=${value}`] : [];
    });
    const links = linksOf(span).map((id) => `after ${numbers.get(id)}`);
    const at = `+${((span.startTime - start) / 1_000).toFixed(0)} ms`.padStart(8);
    return `${String(numbers.get(span.spanID)).padStart(3)} ${at} ${'  '.repeat(depth)}${service}: ${span.operationName} ${[...attributes, ...links].join(' ')}`.trimEnd();
  };
  return rows.map(line).join('\n');
}

interface Shown {
  readonly span: JaegerSpan;
  readonly depth: number;
}

const FAILED: readonly unknown[] = ['failure', 'timeout'];

async function failedPayment(stack: Stack): Promise<JaegerTrace> {
  return until(
    'a failed payment in Jaeger',
    async () => {
      const traces = await jaegerTraces(stack, 'storefront', 'payments charge attempt');
      return traces.find(({ spans }) =>
        spans.some(
          (span) =>
            span.operationName === 'payments charge' &&
            FAILED.includes(tag(span, semconv.ATTR_OUTCOME)) &&
            Number(tag(span, semconv.ATTR_ATTEMPTS)) > 1,
        ),
      );
    },
    ARRIVAL_MS,
  );
}

const stack = await Stack.start();
const demo = new Demo(stack, '30s');
try {
  const firing = await until('the notification', async () => stack.webhook.find('firing', ALERT), 60_000);
  const table = await guardTable(stack);
  const runbook = `max by (${LABEL.service}, ${LABEL.guard}, ${LABEL.state}) (keelson_breaker_state{${LABEL.state}=~"open|half_open|forced_open"}) == 1`;
  const first = await answer(stack, runbook);
  const ends = `sum by (${LABEL.guard}, ${LABEL.outcome}) (rate(keelson_attempts_total{${LABEL.service}="storefront"}[1m]))`;
  const second = await answer(stack, ends);
  const silenced = await until(
    'what is silenced',
    async () => {
      const names = await silencedAlerts(stack);
      return names.length > 0 ? names : undefined;
    },
    8_000,
  ).catch(() => []);
  const summary = await demo.summary();
  const resolved = await until(
    'the resolution',
    async () => stack.webhook.find('resolved', ALERT),
    ARRIVAL_MS,
  );
  const trace = await failedPayment(stack);
  const fault = faultBefore(summary.transitions, 'payments', firing.at) ?? 0;
  const closed =
    summary.transitions.findLast(({ guard, to }) => guard === 'payments' && to === 'closed')?.at ?? 0;
  const after = (at: number): string => `${((at - fault) / 1_000).toFixed(1)} s`;
  const phase = summary.phases.findLast(({ startedAt }) => startedAt <= fault)?.name ?? '';
  console.log(`# One incident, from the alert to the trace

What an operator sees, written by \`npm run stack:incident\`: \`npm run demo\` against the real Collector, Jaeger, Prometheus and Alertmanager with the shipped rules, templates and
dashboards' queries. Only the pictures are missing: Grafana's server was not part of it.

**The times are those of the stack tests, which wait for a second where the shipped rules wait for a minute. As shipped the page comes up to 160 s after the breaker opened.**

## 0 s: the breaker opens

The demo is in its phase "${phase}". The storefront's guard \`payments\` opens its breaker; from now on payments are refused at once.

## ${after(firing.at)}: the page

\`\`\`text
${slackText(stack, firing)}
\`\`\`

${silenced.length > 0 ? `Fires too, and is not told, since the page says why: ${silenced.join(', ')}.` : 'Nothing else of this guard fires.'}

## The overview: which guard, and how bad

The tables "Guards" and "Breakers" of "Keelson: overview" at that moment, and beside them what the dashboard of the page's link says of refusals ("Calls by outcome") and of old
values ("Values that stood in"):

${table}

A failed share counts only calls whose function ran: those that the open breaker refuses are \`rejected\`, and those that an old value of the cache answers are a \`success\`. So a
guard whose breaker is open may show a lower one than a guard that is only slow. Follow the breaker that is not closed, and read its row to the end.

## The runbook: by hand or by failures?

\`\`\`promql
${runbook}
\`\`\`

\`\`\`text
${first}
\`\`\`

Not \`forced_open\`: nobody did it by hand. What the attempts end in:

\`\`\`promql
${ends}
\`\`\`

\`\`\`text
${second}
\`\`\`

## The trace: where it goes wrong

The link "Traces" of the page searches Jaeger for the service and the guard. One failed payment, with its spans numbered from the top; a further attempt says which it comes after:

\`\`\`text
${tree(trace)}
\`\`\`

## ${after(closed)}: payments is back

The breaker's trials succeed and it closes by itself. ${after(resolved.at)}:

\`\`\`text
${slackText(stack, resolved)}
\`\`\``);
} finally {
  await demo.stop();
  await stack.stop();
}
