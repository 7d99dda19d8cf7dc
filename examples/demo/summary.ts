import { join } from 'node:path';
import { PHASES } from './fault-script.ts';
import type { GuardReport, Latency } from './messages.ts';
import type { RunState } from './run.ts';
import type { RecordCounts } from './telemetry-files.ts';
import { countRecords } from './telemetry-files.ts';

type Counts = Readonly<Record<string, number>>;

/** The document that `--json` prints. Times are milliseconds, moments milliseconds since 1970. */
export interface Summary {
  readonly seed: number;
  readonly durationMs: number;
  readonly startedAt: number;
  readonly calls: Counts;
  /** Successful calls, by where the value came from. */
  readonly origins: Counts;
  readonly attempts: number;
  readonly retries: number;
  readonly rejections: Counts;
  readonly breakerTransitions: Counts;
  readonly transitions: readonly {
    readonly at: number;
    readonly guard: string;
    readonly from: string;
    readonly to: string;
  }[];
  readonly latency: Latency;
  readonly guards: Readonly<Record<string, object>>;
  readonly phases: readonly object[];
  readonly shoppers: object;
  readonly processes: readonly object[];
  /** What the services wrote to standard error. */
  readonly warnings: readonly string[];
  readonly telemetry: { readonly folder: string; readonly records: RecordCounts };
}

function add(
  into: Record<string, number>,
  counts: Counts,
  key: (name: string) => string = (name) => name,
): void {
  for (const [name, count] of Object.entries(counts)) into[key(name)] = (into[key(name)] ?? 0) + count;
}

/** `breaker/open` -> `breaker` */
const policyOf = (rejection: string): string => rejection.split('/')[0] ?? rejection;

function rejectionsByPolicy({ snapshot }: GuardReport): Record<string, number> {
  const rejections: Record<string, number> = {};
  add(rejections, snapshot.rejections, policyOf);
  return rejections;
}

function transitionsByTarget(state: RunState, guard?: string): Record<string, number> {
  const found: Record<string, number> = { open: 0, half_open: 0, closed: 0 };
  for (const { to = '', guard: of } of state.transitions) {
    if (guard === undefined || guard === of) found[to] = (found[to] ?? 0) + 1;
  }
  return found;
}

const sum = (counts: Counts): number => Object.values(counts).reduce((total, count) => total + count, 0);

function guardDetail(state: RunState, report: GuardReport): object {
  const { name, calls, origins, attempts, retries, suppressed, abandoned, breaker, cache } = report.snapshot;
  return {
    calls,
    origins,
    ...(cache ? { cache } : {}),
    attempts: sum(attempts),
    attemptsByOutcome: attempts,
    retries,
    suppressed,
    abandoned,
    rejections: rejectionsByPolicy(report),
    rejectionsByReason: report.snapshot.rejections,
    latency: report.latency,
    ...(breaker ? { breaker: breaker.state, breakerTransitions: transitionsByTarget(state, name) } : {}),
  };
}

/** Adds a run up; reads the files of its telemetry, so the services have to be done with them. */
export function summarize(state: RunState): Summary {
  const guards = state.final?.guards ?? state.guards;
  const calls: Record<string, number> = {};
  const origins: Record<string, number> = {};
  const rejections: Record<string, number> = {};
  for (const report of guards) {
    add(calls, report.snapshot.calls);
    add(origins, report.snapshot.origins);
    add(rejections, rejectionsByPolicy(report));
  }
  const folder = join(state.home, 'telemetry');
  return {
    seed: state.flags.seed,
    durationMs: Date.now() - state.startedAt,
    startedAt: state.startedAt,
    calls,
    origins,
    attempts: guards.reduce((total, { snapshot }) => total + sum(snapshot.attempts), 0),
    retries: guards.reduce((total, { snapshot }) => total + snapshot.retries, 0),
    rejections,
    breakerTransitions: transitionsByTarget(state),
    transitions: state.transitions.map(({ at, guard, from = '', to = '' }) => ({ at, guard, from, to })),
    latency: state.final?.all ?? { p50: 0, p95: 0, p99: 0, max: 0 },
    guards: Object.fromEntries(guards.map((report) => [report.snapshot.name, guardDetail(state, report)])),
    phases: PHASES.flatMap((name) => state.phases.filter((phase) => phase.name === name)),
    shoppers: state.shoppers,
    processes: state.processes,
    warnings: state.warnings,
    telemetry: { folder, records: countRecords(folder) },
  };
}

/** The summary for people, in lines. */
export function summaryLines(summary: Summary): readonly string[] {
  const nonZero = (counts: Counts): Counts =>
    Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
  const list = (counts: Counts, between = ' '): string =>
    Object.entries(counts)
      .map(([name, count]) => `${count}${between}${name.replaceAll('_', '-')}`)
      .join(', ');
  const { latency, telemetry, processes } = summary;
  return [
    `Calls        ${list(summary.calls)}`,
    `Values       ${list(nonZero(summary.origins))}`,
    `Attempts     ${summary.attempts}, ${summary.retries} of them retries`,
    `Rejections   ${list(nonZero(summary.rejections), ' by the ') || 'none'}`,
    `Breakers     became ${list(summary.breakerTransitions)}`,
    `Latency      p50 ${latency.p50} ms, p95 ${latency.p95} ms, p99 ${latency.p99} ms`,
    `Processes    ${processes.length}, all ended`,
    ...summary.warnings.map((warning) => `Warning      ${warning}`),
    `Telemetry    ${telemetry.records.traces} spans, ${telemetry.records.metrics} metric points, ${telemetry.records.logs} log records`,
    `             ${telemetry.folder}`,
  ];
}
