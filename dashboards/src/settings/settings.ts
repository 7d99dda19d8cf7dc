import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { isTable, settingsProblems, type Table } from './check.ts';
import type { Thresholds } from './thresholds.ts';

/** What a service level is measured by. */
export type Indicator = 'requests' | 'guarded_calls' | 'request_latency';

/** One service level objective over thirty days. */
export interface Slo {
  readonly indicator: Indicator;
  /** The share that has to be good, 0 to 1. */
  readonly objective: number;
  /** For `request_latency`: what still counts as quick. A bound of the histogram. */
  readonly seconds?: number;
  /** Events a second below which a share says nothing. */
  readonly minimumRate: number;
}

/** A way to reach people. */
export type Channel = 'webhook' | 'slack' | 'email';

/** Who is told how. Addresses that are secret come from files, never from here. */
export interface Notifications {
  readonly critical: readonly Channel[];
  readonly warning: readonly Channel[];
  readonly slack: { readonly channel: string };
  readonly email: {
    readonly to: string;
    readonly from: string;
    readonly smarthost: string;
    readonly username: string;
  };
}

/** Everything that users change about alerts, dashboards and notifications. `dashboards/settings.yaml` explains it. */
export interface Settings {
  readonly addresses: { readonly grafana: string; readonly jaeger: string; readonly runbooks: string };
  readonly slos: Readonly<Record<string, Slo>>;
  readonly notifications: Notifications;
  readonly thresholds: Thresholds;
}

/** The file that is shipped. */
export const SHIPPED_SETTINGS: string = join(import.meta.dirname, '../../settings.yaml');

/** One map over another, two levels deep; `slos` is taken as a whole, so that one can be left out. */
function over(base: Table, own: Table): Table {
  const merged = Object.entries(own).map(([section, value]): readonly [string, unknown] => {
    const under = base[section];
    if (section === 'slos' || !isTable(value) || !isTable(under)) return [section, value];
    const inner = Object.entries(value).map(([key, each]): readonly [string, unknown] => {
      const before = under[key];
      return [key, isTable(each) && isTable(before) ? { ...before, ...each } : each];
    });
    return [section, { ...under, ...Object.fromEntries(inner) }];
  });
  return { ...base, ...Object.fromEntries(merged) };
}

function readTable(path: string): Table {
  let document: unknown;
  try {
    document = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(
      `${path}: expected a readable YAML file, got: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  if (!isTable(document)) throw new Error(`${path}: expected a map with sections, got something else.`);
  return document;
}

/**
 * Reads and checks the settings.
 *
 * @param own a file that holds only what differs from the shipped one
 * @throws with every problem at once: what, expected, got, and what to write
 */
export function readSettings(own?: string): Settings {
  const shipped = readTable(SHIPPED_SETTINGS);
  const document = own === undefined ? shipped : over(shipped, readTable(own));
  const problems = settingsProblems(document);
  if (problems.length > 0) {
    throw new Error(
      [
        `${own ?? 'dashboards/settings.yaml'} has ${problems.length} problem${problems.length === 1 ? '' : 's'}:`,
        ...problems.map((problem) => `  ${problem}`),
      ].join('\n'),
    );
  }
  return document as unknown as Settings;
}
