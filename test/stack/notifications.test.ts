import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { alertmanagerYaml } from '../../dashboards/src/routing.ts';
import { readSettings } from '../../dashboards/src/settings/settings.ts';
import { program } from './support/backends.ts';
import { Child, freePorts } from './support/child.ts';
import { edited, ROOT, type Value } from './support/documents.ts';
import { MailSink } from './support/mail-sink.ts';
import { isUp, until } from './support/poll.ts';
import { timingEdits } from './support/timing-overlay.ts';
import { Webhook } from './support/webhook.ts';

const ARRIVAL_MS = 15_000;
const GUARD = { service_name: 'shop', keelson_guard_name: 'payments' };
const ANNOTATIONS = {
  summary: 'Circuit breaker payments of shop is not closed',
  description: 'Calls of shop to payments are being refused.',
  dashboard_url: 'http://127.0.0.1:3000/d/keelson-guards?var-service=shop',
  runbook_url: 'https://wiki.example.com/CircuitBreakerOpen',
  traces_url: 'http://127.0.0.1:16686/search?service=shop',
};

interface SlackMessage {
  readonly channel: string;
  readonly attachments: readonly {
    readonly title: string;
    readonly title_link: string;
    readonly text: string;
  }[];
}

const slackMessages: SlackMessage[] = [];
const webhook = new Webhook();
const mail = new MailSink();
let slack: Server;
let folder: string;
let alertmanager: Child;
let url: string;

/** The configuration with every way to be told, its addresses replaced by those of this test. */
function configure(addresses: {
  readonly webhook: string;
  readonly slack: string;
  readonly mail: string;
}): string {
  const { notifications, ...rest } = readSettings();
  const email = { ...notifications.email, smarthost: addresses.mail };
  const all = ['webhook', 'slack', 'email'] as const;
  const told = alertmanagerYaml({
    ...rest,
    notifications: { ...notifications, email, critical: all, warning: all },
  });
  const secrets = {
    alert_webhook_url: `${addresses.webhook}/alerts`,
    watchdog_webhook_url: `${addresses.webhook}/watchdog`,
    slack_webhook_url: addresses.slack,
    smtp_password: 'open sesame',
  };
  for (const [name, secret] of Object.entries(secrets)) writeFileSync(join(folder, name), `${secret}\n`);
  const text = told
    .replaceAll('/run/secrets', folder)
    .replaceAll('/etc/alertmanager', join(ROOT, 'dashboards/alertmanager'))
    // The sink has no certificate.
    .replace('smtp_require_tls: true', 'smtp_require_tls: false');
  const document = parse(text) as Value;
  const path = join(folder, 'alertmanager.yml');
  writeFileSync(path, stringify(edited(document, timingEdits(document))));
  return path;
}

async function fire(...alerts: readonly Readonly<Record<string, string>>[]): Promise<void> {
  const body = alerts.map((labels) => ({ labels, annotations: ANNOTATIONS }));
  const response = await fetch(`${url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
}

/** @returns the names of the alerts that fire and are not told, since others say why */
async function silenced(): Promise<readonly string[]> {
  const response = await fetch(`${url}/api/v2/alerts`);
  const alerts = (await response.json()) as readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly status: { readonly inhibitedBy: readonly string[] };
  }[];
  return alerts
    .filter(({ status }) => status.inhibitedBy.length > 0)
    .map(({ labels }) => labels['alertname'] ?? '');
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keelson-notifications-'));
  slack = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      slackMessages.push(JSON.parse(body) as SlackMessage);
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => slack.listen(0, '127.0.0.1', resolve));
  const address = slack.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const config = configure({
    webhook: await webhook.listen(),
    slack: `http://127.0.0.1:${port}/hook`,
    mail: await mail.listen(),
  });
  const [own] = await freePorts(1);
  url = `http://127.0.0.1:${own}`;
  alertmanager = new Child(
    'alertmanager',
    program('alertmanager'),
    [
      `--config.file=${config}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${own}`,
      '--cluster.listen-address=',
    ],
    folder,
  );
  await until('Alertmanager', () => isUp(`${url}/-/ready`), ARRIVAL_MS);
});

afterAll(async () => {
  await alertmanager?.stop();
  await webhook.close();
  await mail.close();
  slack?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a critical alert', () => {
  beforeAll(async () => {
    await fire({ alertname: 'CircuitBreakerOpen', severity: 'critical', ...GUARD });
  });

  test('is told in Slack, with links to dashboard, runbook and traces', async () => {
    const message = await until('a message', async () => slackMessages[0], ARRIVAL_MS);
    const [attachment] = message.attachments;
    expect(message.channel).toBe('#alerts');
    expect(attachment?.title).toBe('[FIRING:1] CircuitBreakerOpen shop / payments');
    expect(attachment?.title_link).toBe(ANNOTATIONS.dashboard_url);
    for (const [name, link] of [
      ['Dashboard', ANNOTATIONS.dashboard_url],
      ['Runbook', ANNOTATIONS.runbook_url],
      ['Traces', ANNOTATIONS.traces_url],
    ]) {
      expect(attachment?.text).toContain(`<${link}|${name}>`);
    }
  });

  test('is told by mail, with the same links and a login from a file', async () => {
    const message = await until('a mail', async () => mail.messages[0], ARRIVAL_MS);
    const text = message.replaceAll('=\n', '').replaceAll('=3D', '=');
    expect(text).toContain('Subject: [FIRING:1] CircuitBreakerOpen shop / payments');
    expect(text).toContain(`Traces:    ${ANNOTATIONS.traces_url}`);
    expect(text).toContain('>Runbook</a>');
    expect(mail.logins).toEqual(['\0alertmanager\0open sesame']);
  });

  test('is told to the webhook', async () => {
    const notice = await until('a notice', async () => webhook.find('firing', GUARD), ARRIVAL_MS);
    expect(notice).toMatchObject({ path: '/alerts', receiver: 'critical', annotations: ANNOTATIONS });
  });
});

describe('an alert that says nothing new', () => {
  test('is silenced by the one that says why, for the same guard only', async () => {
    const other = { ...GUARD, keelson_guard_name: 'shipping' };
    await fire(
      { alertname: 'RetryStorm', severity: 'warning', ...GUARD },
      { alertname: 'RetryStorm', severity: 'warning', ...other },
    );
    const notice = await until('the other guard', async () => webhook.find('firing', other), ARRIVAL_MS);
    expect(notice.labels['alertname']).toBe('RetryStorm');
    expect(await silenced()).toEqual(['RetryStorm']);
    expect(webhook.find('firing', { alertname: 'RetryStorm', ...GUARD })).toBeUndefined();
  });

  test('is silenced for every service while the Collector is down', async () => {
    await fire({ alertname: 'CollectorDown', severity: 'critical', job: 'otel-collector' });
    await fire(
      { alertname: 'ServiceTelemetryMissing', severity: 'warning', service_name: 'shop' },
      { alertname: 'ServiceTelemetryMissing', severity: 'warning', service_name: 'stock' },
    );
    const found = await until(
      'both to be silenced',
      async () => {
        const names = (await silenced()).filter((name) => name === 'ServiceTelemetryMissing');
        return names.length === 2 ? names : undefined;
      },
      ARRIVAL_MS,
    );
    expect(found).toHaveLength(2);
  });

  test('is silenced by its own critical sibling, on the same machine only', async () => {
    await fire({ alertname: 'HostCpuCritical', severity: 'critical', host_name: 'node-1' });
    await fire(
      { alertname: 'HostCpuHigh', severity: 'warning', host_name: 'node-1' },
      { alertname: 'HostCpuHigh', severity: 'warning', host_name: 'node-2' },
    );
    await until(
      'the other machine',
      async () => webhook.find('firing', { alertname: 'HostCpuHigh', host_name: 'node-2' }),
      ARRIVAL_MS,
    );
    expect((await silenced()).filter((name) => name === 'HostCpuHigh')).toHaveLength(1);
  });
});

describe('the watchdog', () => {
  test('goes to its own webhook alone', async () => {
    await fire({ alertname: 'Watchdog', severity: 'none' });
    const notice = await until(
      'the watchdog',
      async () => webhook.find('firing', { alertname: 'Watchdog' }),
      ARRIVAL_MS,
    );
    expect(notice).toMatchObject({ path: '/watchdog', receiver: 'watchdog' });
    expect(slackMessages.some(({ attachments }) => attachments[0]?.title.includes('Watchdog'))).toBe(false);
  });
});
