import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Alert } from '../alert.ts';
import { RATE, SERVICE } from '../guard-queries.ts';
import { HOST } from '../panel-ids.ts';
import { LABEL, selector, SERIES } from '../queries.ts';
import type { Settings } from '../settings/settings.ts';
import { dashboard, SERVICE_VARIABLE } from './dashboard-frame.ts';
import { type AnyPanel, PanelMaker, row } from './panel-maker.ts';
import { processPanels, runtimePanels } from './process-panels.ts';

const scope = [SERVICE, `${LABEL.host}=~"$host"`];
const of = (series: string, ...matchers: readonly string[]): string =>
  `${series}${selector(...scope, ...matchers)}`;
const HOSTNAME = `{{${LABEL.host}}}`;
const DISK = `${LABEL.host}, ${LABEL.mountpoint}`;
const inodes = (...matchers: readonly string[]): string =>
  `sum by (${DISK}) (${of(SERIES.inodes, ...matchers)})`;
const hostPressure = [`${LABEL.pressureScope}="host"`, `${LABEL.pressureStall}="some"`];

const processorPanels = (make: PanelMaker): readonly AnyPanel[] => [
  make.lines({
    id: HOST.cpu,
    title: 'Processors in use',
    description: 'All processors of a machine together. Worry above the lines: what is due has to wait.',
    unit: units.PercentUnit,
    width: 8,
    queries: [
      { expr: `1 - min by (${LABEL.host}) (${of(SERIES.cpu, `${LABEL.cpuMode}="idle"`)})`, legend: HOSTNAME },
    ],
    max: 1,
    traces: false,
  }),
  make.lines({
    id: HOST.cpuModes,
    title: 'Processors by mode, and load',
    description:
      'Shares of the time, and threads that ran or waited to run for each processor. Worry about iowait, steal, or a load above 1.',
    unit: units.Short,
    width: 8,
    queries: [
      {
        expr: `max by (${LABEL.host}, ${LABEL.cpuMode}) (${of(SERIES.cpu, `${LABEL.cpuMode}!="idle"`)})`,
        legend: `${HOSTNAME} {{${LABEL.cpuMode}}}`,
      },
      {
        expr: `max by (${LABEL.host}) (${of(SERIES.load)} / ${of(SERIES.processors)})`,
        legend: `${HOSTNAME} load for each processor`,
      },
    ],
    related: ['HostCpuHigh'],
    traces: false,
  }),
  make.lines({
    id: HOST.pressure,
    title: 'Time spent waiting for a resource',
    description:
      'Share of the time in which some task of the machine waited (pressure stall information of Linux). Worry above the line: it tells who suffers, where utilisation tells who works.',
    unit: units.PercentUnit,
    width: 8,
    queries: [
      {
        expr: `max by (${LABEL.host}, ${LABEL.pressureResource}) (${of(SERIES.pressure, ...hostPressure)})`,
        legend: `${HOSTNAME} {{${LABEL.pressureResource}}}`,
      },
    ],
    noValue: 'not told by this system',
    max: 1,
    traces: false,
  }),
];

const memoryPanels = (make: PanelMaker): readonly AnyPanel[] => [
  make.lines({
    id: HOST.memory,
    title: 'Memory in use',
    description: 'What cannot be had back without harm, of the machine. Worry above the lines.',
    unit: units.PercentUnit,
    width: 8,
    queries: [
      {
        expr: `max by (${LABEL.host}) (${of(SERIES.memory, `${LABEL.memoryState}="used"`)})`,
        legend: HOSTNAME,
      },
    ],
    max: 1,
    traces: false,
  }),
  make.lines({
    id: HOST.container,
    title: 'Container: memory of its limit',
    description: 'The working set over the limit. Worry above the line: at the limit the kernel kills.',
    unit: units.PercentUnit,
    width: 8,
    queries: [
      {
        expr: `max by (${LABEL.service}, ${LABEL.host}) (${of(SERIES.containerMemory)} / ${of(SERIES.containerMemoryLimit)})`,
        legend: `{{${LABEL.service}}} on ${HOSTNAME}`,
      },
    ],
    noValue: 'no container with a limit',
    max: 1,
  }),
  make.lines({
    id: HOST.throttling,
    title: 'Container: periods stopped by the quota',
    description:
      'Share of the periods in which the container had to wait for its processor quota. Worry above the line: the event loop stands still meanwhile.',
    unit: units.PercentUnit,
    width: 8,
    queries: [
      {
        expr: `max by (${LABEL.service}, ${LABEL.host}) (rate(${of(SERIES.containerThrottled)}[${RATE}]) / rate(${of(SERIES.containerPeriods)}[${RATE}]))`,
        legend: `{{${LABEL.service}}} on ${HOSTNAME}`,
      },
    ],
    noValue: 'no container with a quota',
    max: 1,
  }),
];

const diskPanels = (make: PanelMaker, hours: number): readonly AnyPanel[] => [
  make.lines({
    id: HOST.disk,
    title: 'Disk and inodes in use',
    description: 'Of the file system that holds the home. Worry above the lines.',
    unit: units.PercentUnit,
    width: 8,
    queries: [
      { expr: `max by (${DISK}) (${of(SERIES.disk)})`, legend: `${HOSTNAME} {{${LABEL.mountpoint}}}` },
      {
        expr: `${inodes(`${LABEL.filesystemState}="used"`)} / ${inodes()}`,
        legend: `${HOSTNAME} {{${LABEL.mountpoint}}} inodes`,
      },
    ],
    max: 1,
    traces: false,
  }),
  make.lines({
    id: HOST.diskForecast,
    title: `Disk in ${hours} hours`,
    description: `What it would be in ${hours} hours at the pace of the last six. Worry at 100 %.`,
    unit: units.PercentUnit,
    width: 8,
    queries: [
      {
        expr: `max by (${DISK}) (predict_linear(${of(SERIES.disk)}[6h], ${hours} * 3600))`,
        legend: `${HOSTNAME} {{${LABEL.mountpoint}}}`,
      },
    ],
    traces: false,
  }),
];

/** @returns the dashboard about machines, containers, processes and event loops: utilisation, saturation, errors */
export function hostDashboard(alerts: readonly Alert[], settings: Settings): Dashboard {
  const make = new PanelMaker(HOST.uid, alerts);
  return dashboard(
    {
      uid: HOST.uid,
      title: 'Keelson: host and runtime',
      description: 'Machines, containers, processes and event loops: how busy, how full, and who waits.',
      variables: [
        SERVICE_VARIABLE,
        { name: 'host', label: 'Host', series: `${SERIES.cpu}${selector(SERVICE)}`, of: LABEL.host },
      ],
      transitions: false,
      sections: [
        { head: row(HOST.cpuRow, 'Processors'), panels: processorPanels(make) },
        { head: row(HOST.memoryRow, 'Memory and containers'), panels: memoryPanels(make) },
        {
          head: row(HOST.diskRow, 'Disk and processes'),
          panels: [
            ...diskPanels(make, settings.thresholds.HostDiskFilling.hours),
            ...processPanels(make, scope, settings),
          ],
        },
        { head: row(HOST.loopRow, 'Event loop and heap'), panels: runtimePanels(make, scope) },
      ],
    },
    settings,
  );
}
