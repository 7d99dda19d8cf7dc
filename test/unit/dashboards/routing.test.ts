import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ruleFiles } from '../../../dashboards/src/outputs.ts';
import { alertmanagerYaml, INHIBITIONS } from '../../../dashboards/src/routing.ts';
import { type Channel, readSettings, type Settings } from '../../../dashboards/src/settings/settings.ts';
import { knownSeries } from './known-series.ts';
import { metricsIn, readingOf } from './promql.ts';

const settings = readSettings();
const alerts = ruleFiles(settings).flatMap(({ groups }) => groups.flatMap((group) => group.alerts));
const known = knownSeries();
const names = new Set(alerts.map(({ name }) => name));
const TEMPLATES = readFileSync(
  join(import.meta.dirname, '../../../dashboards/alertmanager/templates/keelson.tmpl'),
  'utf8',
);

interface Config {
  readonly global: Readonly<Record<string, unknown>>;
  readonly receivers: readonly Readonly<Record<string, unknown>>[];
}

const withChannels = (critical: readonly Channel[], warning: readonly Channel[]): string => {
  const told: Settings = { ...settings, notifications: { ...settings.notifications, critical, warning } };
  return alertmanagerYaml(told);
};

/** Alerts that an inhibition names and nobody makes, and labels that its alerts do not have. */
function inhibitionProblems(inhibition: (typeof INHIBITIONS)[number]): readonly string[] {
  const named = [...inhibition.source, ...inhibition.target].flatMap((matcher) => {
    const [, list = ''] = /^alertname =~? "([^"]+)"$/.exec(matcher) ?? [];
    return list.split('|').filter((name) => name !== '');
  });
  const labelsOf = (list: readonly string[]): ReadonlySet<string> =>
    new Set(
      alerts
        .filter(({ name }) => list.includes(name))
        .flatMap(({ expr }) => [
          ...readingOf(expr).grouping,
          ...metricsIn(expr).flatMap((name) => (name.includes(':') ? [...(known.get(name) ?? [])] : [])),
        ]),
    );
  const present = labelsOf(named);
  const general = ['alertname', 'slo'];
  return [
    ...named.filter((name) => !names.has(name)),
    ...(named.length === 0
      ? []
      : inhibition.equal.filter(
          (label) =>
            !general.includes(label) && !present.has(label) && label !== 'system_filesystem_mountpoint',
        )),
  ];
}

describe('who is told', () => {
  test('has a route for every severity that an alert has', () => {
    const severities = new Set(alerts.map(({ severity }) => severity));
    expect([...severities].toSorted()).toEqual(['critical', 'info', 'none', 'warning']);
  });

  test('is told only by the ways that the settings name, and only these need secrets', () => {
    const shipped = alertmanagerYaml(settings);
    expect(shipped).not.toMatch(/slack|smtp|email/);
    expect([...shipped.matchAll(/\/run\/secrets\/\w+/g)].map(([file]) => file)).toEqual([
      '/run/secrets/alert_webhook_url',
      '/run/secrets/alert_webhook_url',
      '/run/secrets/watchdog_webhook_url',
    ]);
    const all = parse(withChannels(['webhook', 'slack', 'email'], ['slack'])) as Config;
    expect(all.global).toMatchObject({
      slack_api_url_file: '/run/secrets/slack_webhook_url',
      smtp_auth_password_file: '/run/secrets/smtp_password',
      smtp_require_tls: true,
    });
    const [critical, warning] = all.receivers;
    expect(Object.keys(critical ?? {})).toEqual([
      'name',
      'webhook_configs',
      'slack_configs',
      'email_configs',
    ]);
    expect(Object.keys(warning ?? {})).toEqual(['name', 'slack_configs']);
  });

  test('reads no secret from the settings themselves', () => {
    expect(withChannels(['webhook', 'slack', 'email'], ['email'])).not.toMatch(
      /^\s*(?:- )?(?:url|api_url|slack_api_url|password|auth_password|smtp_auth_password|smtp_auth_secret):/m,
    );
  });

  test('gets texts that the templates define', () => {
    const used = [...withChannels(['slack', 'email'], ['webhook']).matchAll(/template "([^"]+)"/g)];
    const defined = [...TEMPLATES.matchAll(/define "([^"]+)"/g)].map(([, name]) => name);
    expect(used.length).toBeGreaterThan(4);
    expect(used.map(([, name]) => name).filter((name) => !defined.includes(name))).toEqual([]);
  });

  test('gets links to dashboard, runbook and traces', () => {
    for (const link of ['dashboard_url', 'runbook_url', 'traces_url']) expect(TEMPLATES).toContain(link);
  });
});

describe('what silences what', () => {
  test.each(INHIBITIONS.map((each) => [each.because, each] as const))('%s', (_, inhibition) => {
    expect(inhibitionProblems(inhibition)).toEqual([]);
  });

  test('the check reports a planted alert and a planted label', () => {
    const planted = {
      because: '',
      source: ['alertname = "CircuitBreakerAjar"'],
      target: ['alertname = "RetryStorm"'],
      equal: ['service_name', 'guard'],
    };
    expect(inhibitionProblems(planted)).toEqual(['CircuitBreakerAjar', 'guard']);
  });
});
