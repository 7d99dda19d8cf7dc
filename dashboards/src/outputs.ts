import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { callFailureRatioHigh, circuitBreakerOpen } from './guard-alerts.ts';
import { guardsDashboard } from './guards-dashboard.ts';
import { type AlertGroup, ruleFile, ruleTestFile } from './rule-file.ts';
import { serviceTelemetryMissing, watchdog } from './telemetry-alerts.ts';

const ROOT = join(import.meta.dirname, '..');

/** Every alert, in groups as Prometheus evaluates them. */
export const ALERT_GROUPS: readonly AlertGroup[] = [
  { name: 'keelson-guards', alerts: [circuitBreakerOpen, callFailureRatioHigh] },
  { name: 'keelson-telemetry', alerts: [serviceTelemetryMissing, watchdog] },
];

/** A file that is generated and committed. */
export interface Output {
  readonly path: string;
  readonly content: string;
}

/** @returns every generated file with what it has to contain */
export function outputs(): readonly Output[] {
  return [
    {
      path: join(ROOT, 'grafana', 'keelson-guards.json'),
      content: `${JSON.stringify(guardsDashboard(), undefined, 2)}\n`,
    },
    { path: join(ROOT, 'prometheus', 'rules', 'keelson.yaml'), content: ruleFile(ALERT_GROUPS) },
    {
      path: join(ROOT, 'prometheus', 'rules', 'keelson.test.yaml'),
      content: ruleTestFile(ALERT_GROUPS, 'keelson.yaml'),
    },
  ];
}

/**
 * @param read how a file is read; gives undefined for one that is not there
 * @returns the files that differ from what would be generated
 */
export function staleOutputs(read: (path: string) => string | undefined = readIfThere): readonly string[] {
  return outputs()
    .filter((output) => read(output.path) !== output.content)
    .map((output) => output.path);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
