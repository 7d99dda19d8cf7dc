import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { alertsPage } from './alerts-page.ts';
import { breakerAlerts, openBreakerAlerts } from './alerts/breaker-alerts.ts';
import { callAlerts } from './alerts/call-alerts.ts';
import { collectorAlerts } from './alerts/collector-alerts.ts';
import { containerAlerts } from './alerts/container-alerts.ts';
import { hostAlerts } from './alerts/host-alerts.ts';
import { limitAlerts } from './alerts/limit-alerts.ts';
import { prometheusAlerts } from './alerts/prometheus-alerts.ts';
import { retryAlerts } from './alerts/retry-alerts.ts';
import { runtimeAlerts } from './alerts/runtime-alerts.ts';
import { telemetryAlerts, watchdog } from './alerts/telemetry-alerts.ts';
import { COLLECTOR_LOSSES } from './collector-queries.ts';
import { guardRecordings } from './guard-rates.ts';
import { guardsDashboard } from './panels/guards-dashboard.ts';
import { hostDashboard } from './panels/host-dashboard.ts';
import { overviewDashboard } from './panels/overview-dashboard.ts';
import { telemetryDashboard } from './panels/telemetry-dashboard.ts';
import { alertmanagerYaml } from './routing.ts';
import { type RuleFile, ruleTestYaml, ruleYaml } from './rule-file.ts';
import type { Settings } from './settings/settings.ts';
import { sloGroups } from './slo.ts';

/** The folder of what is shipped. */
export const SHIPPED: string = join(import.meta.dirname, '..');

/** @returns every rule, in files and groups as Prometheus evaluates them */
export function ruleFiles(settings: Settings): readonly RuleFile[] {
  const { thresholds } = settings;
  return [
    {
      name: 'guards',
      step: '15s',
      groups: [
        {
          name: 'keelson-breakers',
          recordings: [],
          alerts: openBreakerAlerts(thresholds),
        },
        {
          // Rates over five minutes of what services send once a minute: nothing is seen sooner by looking more often.
          name: 'keelson-guards',
          interval: '1m',
          recordings: guardRecordings(thresholds),
          alerts: [
            ...breakerAlerts(thresholds),
            ...callAlerts(thresholds),
            ...retryAlerts(thresholds),
            ...limitAlerts(thresholds),
          ],
        },
      ],
    },
    { name: 'slo', step: '1m', groups: sloGroups(settings) },
    {
      name: 'host',
      step: '15s',
      groups: [
        {
          name: 'keelson-host',
          recordings: [],
          alerts: [...hostAlerts(thresholds), ...containerAlerts(thresholds), ...runtimeAlerts(thresholds)],
        },
      ],
    },
    {
      name: 'telemetry',
      step: '15s',
      groups: [
        {
          name: 'keelson-telemetry',
          recordings: COLLECTOR_LOSSES,
          alerts: [
            ...telemetryAlerts(thresholds),
            ...collectorAlerts(thresholds),
            ...prometheusAlerts(thresholds),
            watchdog,
          ],
        },
      ],
    },
  ];
}

/** @returns every dashboard */
export function dashboards(settings: Settings): readonly Dashboard[] {
  const alerts = ruleFiles(settings).flatMap(({ groups }) => groups.flatMap((group) => group.alerts));
  return [overviewDashboard, guardsDashboard, hostDashboard, telemetryDashboard].map((make) =>
    make(alerts, settings),
  );
}

/** A file that is generated and committed. */
export interface Output {
  readonly path: string;
  readonly content: string;
}

/**
 * @param settings what users change
 * @param folder where the files belong; below it they lie as in `dashboards/`
 * @returns every generated file with what it has to contain
 */
export function outputs(settings: Settings, folder: string = SHIPPED): readonly Output[] {
  const files = ruleFiles(settings);
  const rules = files.flatMap((file): readonly Output[] => [
    {
      path: join(folder, 'prometheus', 'rules', `${file.name}.yaml`),
      content: ruleYaml(file, settings),
    },
    {
      path: join(folder, 'prometheus', 'tests', `${file.name}.yaml`),
      content: ruleTestYaml(file, settings, `../rules/${file.name}.yaml`),
    },
  ]);
  const boards = dashboards(settings).map((board): Output => ({
    path: join(folder, 'grafana', `${board.uid}.json`),
    content: `${JSON.stringify(board, undefined, 2)}\n`,
  }));
  const routing = {
    path: join(folder, 'alertmanager', 'alertmanager.yml'),
    content: alertmanagerYaml(settings),
  };
  return [...boards, ...rules, routing, { path: join(folder, 'alerts.md'), content: alertsPage(files) }];
}

/**
 * @param expected what would be generated
 * @param read how a file is read; gives undefined for one that is not there
 * @returns the files that differ from it
 */
export function staleOutputs(
  expected: readonly Output[],
  read: (path: string) => string | undefined = readIfThere,
): readonly string[] {
  return expected.filter((output) => read(output.path) !== output.content).map((output) => output.path);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
