import { formatDuration } from '../../core/time/duration.ts';
import { isJsonObject, objectsIn } from '../../telemetry/otlp/read/index.ts';
import type { JsonObject } from '../../telemetry/otlp/read/index.ts';
import type { CommandContext } from '../frame/command.ts';
import { fail, pass, skipped, warn } from './check.ts';
import type { CheckResult } from './check.ts';
import { eventually } from './eventually.ts';
import { askJson, describeAnswer, remedyFor } from './http-json.ts';
import type { JsonAnswer } from './http-json.ts';
import { DOCTOR_METRIC, DOCTOR_SERVICE } from './semconv.ts';

const PROMETHEUS = { name: 'Prometheus', option: '--prometheus' };
const TOLERANCE_S = 0.001;

// However this Prometheus translates names: with underscores and the suffix of the unit, or as they are.
const METRIC_PATTERN = `${DOCTOR_METRIC.replaceAll('.', '[._]')}(_seconds)?`;

/** The `data` of a successful answer of Prometheus. */
function dataOf(answer: JsonAnswer): JsonObject | undefined {
  if (answer.kind !== 'json' || !isJsonObject(answer.body) || answer.body['status'] !== 'success')
    return undefined;
  return isJsonObject(answer.body['data']) ? answer.body['data'] : undefined;
}

/** Whether Prometheus answers. */
export async function checkPrometheus({ clock, signal }: CommandContext, base: URL): Promise<CheckResult> {
  const answer = await askJson({ base, path: 'api/v1/status/buildinfo' }, clock, signal);
  const version = dataOf(answer)?.['version'];
  return typeof version === 'string'
    ? pass('prometheus', `Prometheus ${version}`.trim() + ' answers.')
    : fail('prometheus', describeAnswer(answer, base), remedyFor(answer, base, PROMETHEUS));
}

/** Whether the metric arrives, with the value of this run. @param isSent whether OTLP took it */
export async function findMetric(
  context: CommandContext,
  base: URL,
  seconds: number,
  { isSent, waitMs }: { readonly isSent: boolean; readonly waitMs: number },
): Promise<CheckResult> {
  const name = 'metric in prometheus';
  if (!isSent) return skipped(name, 'The metric was not sent.');
  const startedAt = context.clock.now();
  const query = `{__name__=~"${METRIC_PATTERN}",job="${DOCTOR_SERVICE}"}`;
  const found = await eventually(context, waitMs, async () => {
    const answer = await askJson(
      { base, path: 'api/v1/query', query: { query } },
      context.clock,
      context.signal,
    );
    const values = objectsIn(dataOf(answer)?.['result']).map(({ value }) =>
      Number(Array.isArray(value) ? value[1] : Number.NaN),
    );
    return values.some((value) => Math.abs(value - seconds) < TOLERANCE_S) ? true : undefined;
  });
  if (found)
    return pass(name, `It arrived within ${formatDuration(Math.ceil(context.clock.now() - startedAt))}.`);
  return fail(
    name,
    `OTLP took the metric, and Prometheus does not have it after ${formatDuration(waitMs)}.`,
    'Look at the Collector: its log, otelcol_exporter_send_failed_metric_points; whether Prometheus runs with --web.enable-otlp-receiver; whether --prometheus is the one behind it.',
  );
}

/** Whether Prometheus has rules, all of them healthy, and an Alertmanager to tell. */
export async function checkRules(
  { clock, signal }: CommandContext,
  base: URL,
): Promise<readonly CheckResult[]> {
  const rules = dataOf(await askJson({ base, path: 'api/v1/rules' }, clock, signal));
  const list = objectsIn(rules?.['groups']).flatMap((group) => objectsIn(group['rules']));
  const bad = list
    .filter(({ health }) => health === 'err')
    .map(({ name, lastError }) => `${String(name)} (${String(lastError)})`);
  const managers = dataOf(await askJson({ base, path: 'api/v1/alertmanagers' }, clock, signal));
  const active = objectsIn(managers?.['activeAlertmanagers']).length;
  return [
    list.length === 0
      ? warn(
          'rules',
          'Prometheus has no rules: nothing will ever fire.',
          'Load dashboards/prometheus/rules with rule_files, as dashboards/prometheus/prometheus.yml does.',
        )
      : bad.length > 0
        ? fail(
            'rules',
            `${bad.length} of ${list.length} rules cannot be evaluated: ${bad.slice(0, 3).join(', ')}.`,
            'Mend or remove them, and reload Prometheus.',
          )
        : pass('rules', `${list.length} rules, all of them evaluated.`),
    active === 0
      ? warn(
          'alert delivery',
          'Prometheus knows no Alertmanager: alerts fire, and nobody is told.',
          'Set alerting.alertmanagers, as dashboards/prometheus/prometheus.yml does.',
        )
      : pass(
          'alert delivery',
          `Prometheus tells ${active === 1 ? 'an Alertmanager' : `${active} Alertmanagers`}.`,
        ),
  ];
}
