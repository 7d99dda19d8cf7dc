import { formatDuration } from '../../core/time/duration.ts';
import { isJsonObject, objectsIn } from '../../telemetry/otlp/read/index.ts';
import type { CommandContext } from '../frame/command.ts';
import { fail, pass } from './check.ts';
import type { CheckResult } from './check.ts';
import { eventually } from './eventually.ts';
import { askJson, describeAnswer, remedyFor } from './http-json.ts';
import { DOCTOR_ALERT, DOCTOR_ALERT_LABEL, DOCTOR_SERVICE } from './semconv.ts';

const ALERTMANAGER = { name: 'Alertmanager', option: '--alertmanager' };
/** The alert ends by itself if the doctor cannot end it. */
const ALERT_MS = 60_000;

/** Whether Alertmanager answers. */
export async function checkAlertmanager({ clock, signal }: CommandContext, base: URL): Promise<CheckResult> {
  const answer = await askJson({ base, path: 'api/v2/status' }, clock, signal);
  const info = answer.kind === 'json' && isJsonObject(answer.body) ? answer.body['versionInfo'] : undefined;
  return isJsonObject(info)
    ? pass('alertmanager', `Alertmanager ${String(info['version'])}`.trim() + ' answers.')
    : fail('alertmanager', describeAnswer(answer, base), remedyFor(answer, base, ALERTMANAGER));
}

/** Fires an alert of severity `info`, which the shipped routes tell nobody, looks for it, and ends it. */
export async function fireTestAlert(
  context: CommandContext,
  base: URL,
  runId: string,
  waitMs: number,
): Promise<CheckResult> {
  const name = 'test alert';
  const { clock, signal } = context;
  const startedAt = clock.epoch();
  const alertUntil = (endsAt: number): object => ({
    labels: {
      alertname: DOCTOR_ALERT,
      severity: 'info',
      service_name: DOCTOR_SERVICE,
      [DOCTOR_ALERT_LABEL]: runId,
    },
    annotations: { summary: 'Test alert of keelson doctor; nothing is wrong' },
    startsAt: new Date(startedAt).toISOString(),
    endsAt: new Date(endsAt).toISOString(),
  });
  const fired = await askJson(
    { base, path: 'api/v2/alerts', post: [alertUntil(startedAt + ALERT_MS)] },
    clock,
    signal,
  );
  if (fired.kind !== 'json' || fired.status !== 200) {
    return fail(name, `It was not taken. ${describeAnswer(fired, base)}`, 'Look at the log of Alertmanager.');
  }
  const query = { filter: `${DOCTOR_ALERT_LABEL}="${runId}"` };
  const found = await eventually(context, waitMs, async () => {
    const answer = await askJson({ base, path: 'api/v2/alerts', query }, clock, signal);
    const alerts = answer.kind === 'json' ? objectsIn(answer.body) : [];
    return alerts.find(({ labels }) => isJsonObject(labels) && labels[DOCTOR_ALERT_LABEL] === runId);
  });
  const state = isJsonObject(found?.['status']) ? String(found['status']['state']) : '';
  const receivers = objectsIn(found?.['receivers']).map((receiver) => String(receiver['name']));
  await askJson({ base, path: 'api/v2/alerts', post: [alertUntil(clock.epoch())] }, clock, signal);
  if (found)
    return pass(
      name,
      `It fired (${state}), the routes give it to ${receivers.map((name) => `receiver '${name}'`).join(', ') || 'no receiver'}, and it is ended again.`,
    );
  return fail(
    name,
    `Alertmanager took the alert and does not show it after ${formatDuration(waitMs)}.`,
    'Compare the clocks of this machine and of Alertmanager: an alert that ended in its past is not shown.',
  );
}
