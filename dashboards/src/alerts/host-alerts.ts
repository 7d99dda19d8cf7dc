import { type Alert, type AlertCase, firing, noData, quiet } from '../alert.ts';
import { HOST } from '../panel-ids.ts';
import { LABEL, selector, SERIES } from '../queries.ts';
import type { Thresholds } from '../settings/thresholds.ts';
import { ofService } from './shop.ts';

const BY_HOST = LABEL.host;
const HOSTNAME = `{{ $labels.${LABEL.host} }}`;
const OF_HOST = { host: HOSTNAME };
const panel = (id: number): Alert['panel'] => ({ uid: HOST.uid, panel: id });

/** Every process of a machine reports the same figures of it; one is enough. */
const cpuUse = `1 - min by (${BY_HOST}) (avg_over_time(${SERIES.cpu}${selector(`${LABEL.cpuMode}="idle"`)}[5m]))`;
const memoryUse = `max by (${BY_HOST}) (avg_over_time(${SERIES.memory}${selector(`${LABEL.memoryState}="used"`)}[5m]))`;
const BY_DISK = `${BY_HOST}, ${LABEL.mountpoint}`;
const diskUse = `max by (${BY_DISK}) (${SERIES.disk})`;

/** Every process reports the whole, so that the share of the sums is right. */
const inodes = (...matchers: readonly string[]): string =>
  `sum by (${BY_DISK}) (${SERIES.inodes}${selector(...matchers)})`;
const inodeUse = `${inodes(`${LABEL.filesystemState}="used"`)} / ${inodes()}`;
const pressure = `max by (${BY_HOST}, ${LABEL.pressureResource}) (avg_over_time(${SERIES.pressure}${selector(`${LABEL.pressureScope}="host"`, `${LABEL.pressureStall}="some"`)}[5m]))`;

const idle = ofService(SERIES.cpu, { [LABEL.cpuMode]: 'idle' });
const used = ofService(SERIES.memory, { [LABEL.memoryState]: 'used' });
const disk = ofService(SERIES.disk, { [LABEL.mountpoint]: '/data' });
const inode = (state: string): string =>
  ofService(SERIES.inodes, { [LABEL.mountpoint]: '/data', [LABEL.filesystemState]: state });
const waiting = (scope: string): string =>
  ofService(SERIES.pressure, {
    [LABEL.pressureScope]: scope,
    [LABEL.pressureResource]: 'io',
    [LABEL.pressureStall]: 'some',
  });
const machine = (value: string) => ({ labels: { [LABEL.host]: 'node-1' }, value });
const volume = (value: string) => ({
  labels: { [LABEL.host]: 'node-1', [LABEL.mountpoint]: '/data' },
  value,
});

interface Level {
  readonly name:
    | 'HostCpuHigh'
    | 'HostCpuCritical'
    | 'HostMemoryHigh'
    | 'HostMemoryCritical'
    | 'HostDiskHigh'
    | 'HostDiskCritical'
    | 'HostInodesHigh'
    | 'HostPressureHigh';
  readonly severity: 'warning' | 'critical';
  readonly expr: string;
  readonly panel: number;
  readonly summary: string;
  readonly description: string;
  readonly cases: readonly AlertCase[];
}

const levels: readonly Level[] = [
  {
    name: 'HostCpuHigh',
    severity: 'warning',
    expr: cpuUse,
    panel: HOST.cpu,
    summary: `The processors of ${HOSTNAME} are busy`,
    description:
      '{{ $value | humanizePercentage }} of all processors together over five minutes. Latencies grow before anything fails.',
    cases: [
      firing('nine tenths for half an hour', '30m', { [idle]: '0.1x130' }, machine('90%')),
      quiet('busy for some minutes', '30m', { [idle]: '0.1x20 0.6x110' }),
      noData('no host metrics'),
    ],
  },
  {
    name: 'HostCpuCritical',
    severity: 'critical',
    expr: cpuUse,
    panel: HOST.cpu,
    summary: `The processors of ${HOSTNAME} have nothing left`,
    description:
      '{{ $value | humanizePercentage }} of all processors together over five minutes: timers come late, calls time out, and breakers may open for no fault of a dependency.',
    cases: [
      firing('all of them for twenty minutes', '20m', { [idle]: '0x90' }, machine('100%')),
      quiet('busy, with something left', '20m', { [idle]: '0.1x90' }),
      noData('no host metrics'),
    ],
  },
  {
    name: 'HostMemoryHigh',
    severity: 'warning',
    expr: memoryUse,
    panel: HOST.memory,
    summary: `The memory of ${HOSTNAME} runs low`,
    description:
      '{{ $value | humanizePercentage }} of the memory of the machine cannot be had back without harm.',
    cases: [
      firing('nine tenths for half an hour', '30m', { [used]: '0.9x130' }, machine('90%')),
      quiet('half of it', '30m', { [used]: '0.5x130' }),
      noData('no host metrics'),
    ],
  },
  {
    name: 'HostMemoryCritical',
    severity: 'critical',
    expr: memoryUse,
    panel: HOST.memory,
    summary: `The memory of ${HOSTNAME} is used up`,
    description:
      '{{ $value | humanizePercentage }} of the memory of the machine: the kernel is about to kill something.',
    cases: [
      firing('all of it', '15m', { [used]: '0.98x70' }, machine('98%')),
      quiet('nine tenths', '15m', { [used]: '0.9x70' }),
      noData('no host metrics'),
    ],
  },
  {
    name: 'HostDiskHigh',
    severity: 'warning',
    expr: diskUse,
    panel: HOST.disk,
    summary: `The disk {{ $labels.${LABEL.mountpoint} }} of ${HOSTNAME} fills up`,
    description:
      '{{ $value | humanizePercentage }} of the file system that holds the home of Keelson is used.',
    cases: [
      firing('more than four fifths', '20m', { [disk]: '0.85x90' }, volume('85%')),
      quiet('half of it', '20m', { [disk]: '0.5x90' }),
      noData('no host metrics'),
    ],
  },
  {
    name: 'HostDiskCritical',
    severity: 'critical',
    expr: diskUse,
    panel: HOST.disk,
    summary: `The disk {{ $labels.${LABEL.mountpoint} }} of ${HOSTNAME} is nearly full`,
    description:
      '{{ $value | humanizePercentage }} of the file system is used. When it is full, telemetry is kept in memory only, and queues cannot write.',
    cases: [
      firing('nineteen twentieths', '10m', { [disk]: '0.95x50' }, volume('95%')),
      quiet('four fifths', '10m', { [disk]: '0.8x50' }),
      noData('no host metrics'),
    ],
  },
  {
    name: 'HostInodesHigh',
    severity: 'warning',
    expr: inodeUse,
    panel: HOST.disk,
    summary: `The disk {{ $labels.${LABEL.mountpoint} }} of ${HOSTNAME} runs out of inodes`,
    description:
      '{{ $value | humanizePercentage }} of them are used. Without one no file can be made, however much space is left.',
    cases: [
      firing(
        'nineteen of twenty',
        '20m',
        { [inode('used')]: '95x90', [inode('free')]: '5x90' },
        volume('95%'),
      ),
      quiet('half of them', '20m', { [inode('used')]: '50x90', [inode('free')]: '50x90' }),
      noData('no host metrics'),
    ],
  },
  {
    name: 'HostPressureHigh',
    severity: 'warning',
    expr: pressure,
    panel: HOST.pressure,
    summary: `Tasks on ${HOSTNAME} wait for {{ $labels.${LABEL.pressureResource} }}`,
    description:
      'For {{ $value | humanizePercentage }} of the time some task had to wait for it. Utilisation says how busy a machine is, this says who suffers.',
    cases: [
      firing(
        'for half of the time',
        '15m',
        { [waiting('host')]: '0.5x70' },
        {
          labels: { [LABEL.host]: 'node-1', [LABEL.pressureResource]: 'io' },
          value: '50%',
        },
      ),
      quiet('a container that keeps to its quota', '15m', {
        [waiting('container')]: '0.9x70',
        [waiting('host')]: '0.1x70',
      }),
      noData('no pressure figures, as on other systems than Linux'),
    ],
  },
];

/** Alerts about machines and containers. */
export function hostAlerts(thresholds: Thresholds): readonly Alert[] {
  const { HostDiskFilling: filling } = thresholds;
  return [
    ...levels.map(({ name, expr, panel: id, ...rest }): Alert => ({
      ...rest,
      name,
      expr: `${expr} > ${thresholds[name].ratio}`,
      timing: thresholds[name],
      panel: panel(id),
      threshold: thresholds[name].ratio,
      variables: OF_HOST,
    })),
    {
      name: 'HostDiskFilling',
      severity: 'warning',
      expr:
        `max by (${BY_DISK}) (predict_linear(${SERIES.disk}[6h], ${filling.hours} * 3600)) >= 1\n` +
        `and ${diskUse} > ${filling.ratio}`,
      timing: filling,
      summary: `The disk {{ $labels.${LABEL.mountpoint} }} of ${HOSTNAME} will be full soon`,
      description: `At the pace of the last six hours it is full within ${filling.hours} hours.`,
      panel: panel(HOST.diskForecast),
      variables: OF_HOST,
      cases: [
        firing('three percent an hour', '2h', { [disk]: '0.6+0.000125x500' }, volume('')),
        quiet('half full, and staying so', '2h', { [disk]: '0.6x500' }),
        quiet('filling from nothing', '2h', { [disk]: '0.1+0.000125x500' }),
        noData('no host metrics'),
      ],
    },
  ];
}
