import { type Alert, firing, noData, quiet } from '../alert.ts';
import { HOST } from '../panel-ids.ts';
import { FROM_SDK, LABEL, SERIES } from '../queries.ts';
import { OF_SERVICE } from '../rule-file.ts';
import type { Thresholds } from '../settings/thresholds.ts';
import { ofService, serviceFires } from './shop.ts';

const BY_SERVICE = `${LABEL.namespace}, ${LABEL.service}`;
const BY_INSTANCE = `${BY_SERVICE}, ${LABEL.instance}`;
const SERVICE = `{{ $labels.${LABEL.service} }}`;
const panel = (id: number): Alert['panel'] => ({ uid: HOST.uid, panel: id });

/** The container's, where it has a limit. */
const memoryOfProcess = `(${SERIES.containerMemoryLimit} or ${SERIES.memoryLimit})`;

const delay = ofService(SERIES.loopDelayP99);
const use = ofService(SERIES.loopUse);
const memory = ofService(SERIES.processMemory);
const limit = ofService(SERIES.memoryLimit);
const files = ofService(SERIES.processFiles);
const fileLimit = ofService(SERIES.processFileLimit);
const collected = (type: string): string => ofService(SERIES.gcTime, { [LABEL.gcType]: type });
const heapUsed = (space: string): string => ofService(SERIES.heapUsed, { [LABEL.heapSpace]: space });
const heapLimit = ofService(SERIES.heapLimit);
const instance = (id: number): string =>
  ofService(SERIES.targetInfo, { [LABEL.instance]: `instance-${id}`, telemetry_sdk_name: 'opentelemetry' });
const one = { [LABEL.instance]: 'one' };

/** Alerts about processes of Node. */
export function runtimeAlerts(thresholds: Thresholds): readonly Alert[] {
  const {
    EventLoopDelayed,
    EventLoopSaturated,
    ProcessMemoryGrowing: growing,
    FileDescriptorsNearLimit: descriptors,
    GcTimeHigh: gc,
    HeapNearLimit: heap,
    ServiceRestartLoop: restarts,
  } = thresholds;
  return [
    {
      name: 'EventLoopDelayed',
      severity: 'warning',
      expr: `max by (${BY_SERVICE}) (avg_over_time(${SERIES.loopDelayP99}[5m])) > ${EventLoopDelayed.seconds}`,
      timing: EventLoopDelayed,
      summary: `The event loop of ${SERVICE} is blocked now and then`,
      description:
        'One turn in a hundred comes {{ $value | humanizeDuration }} late: something runs too long at once, and every request of the process waits for it.',
      panel: panel(HOST.loopDelay),
      threshold: EventLoopDelayed.seconds,
      variables: OF_SERVICE,
      cases: [
        firing('a quarter of a second', '15m', { [delay]: '0.25x70' }, serviceFires('250ms')),
        quiet('twenty milliseconds', '15m', { [delay]: '0.02x70' }),
        quiet('one long turn', '15m', { [delay]: '0.02x30 0.5 0.02x40' }),
        noData('no runtime metrics'),
      ],
    },
    {
      name: 'EventLoopSaturated',
      severity: 'critical',
      expr: `max by (${BY_SERVICE}) (avg_over_time(${SERIES.loopUse}[5m])) > ${EventLoopSaturated.ratio}`,
      timing: EventLoopSaturated,
      summary: `The event loop of ${SERVICE} has no idle time left`,
      description:
        'One of its processes is busy for {{ $value | humanizePercentage }} of the time. It takes no more load; its timeouts say nothing about dependencies.',
      panel: panel(HOST.loopUse),
      threshold: EventLoopSaturated.ratio,
      variables: OF_SERVICE,
      cases: [
        firing('always busy', '15m', { [use]: '1x70' }, serviceFires('100%')),
        quiet('busy for half of the time', '15m', { [use]: '0.5x70' }),
        noData('no runtime metrics'),
      ],
    },
    {
      name: 'ProcessMemoryGrowing',
      severity: 'warning',
      expr:
        `max by (${BY_INSTANCE}) (predict_linear(${SERIES.processMemory}[1h], ${growing.hours} * 3600) / ${memoryOfProcess}) >= 1\n` +
        `and max by (${BY_INSTANCE}) (${SERIES.processMemory} / ${memoryOfProcess}) > ${growing.ratio}`,
      timing: growing,
      summary: `A process of ${SERVICE} will run out of memory`,
      description: `At the pace of the last hour, instance {{ $labels.${LABEL.instance} }} reaches the limit of its container or machine within ${growing.hours} hours.`,
      panel: panel(HOST.memoryForecast),
      variables: OF_SERVICE,
      cases: [
        firing(
          'a fifth of the limit an hour',
          '90m',
          { [memory]: '600e6+1e6x400', [limit]: '1e9x400' },
          serviceFires('', one),
        ),
        firing(
          'a fifth of the limit of its container an hour, on a large machine',
          '90m',
          {
            [memory]: '600e6+1e6x400',
            [limit]: '64e9x400',
            [ofService(SERIES.containerMemoryLimit)]: '1e9x400',
          },
          serviceFires('', one),
        ),
        quiet('much memory, and no more', '90m', { [memory]: '800e6x400', [limit]: '1e9x400' }),
        quiet('growing from little, as after a start', '90m', {
          [memory]: '50e6+1e6x400',
          [limit]: '1e9x400',
        }),
        noData('no runtime metrics'),
      ],
    },
    {
      name: 'FileDescriptorsNearLimit',
      severity: 'warning',
      expr: `max by (${BY_INSTANCE}) (${SERIES.processFiles} / ${SERIES.processFileLimit}) > ${descriptors.ratio}`,
      timing: descriptors,
      summary: `A process of ${SERVICE} has nearly as many files and sockets open as it may`,
      description: `Instance {{ $labels.${LABEL.instance} }} uses {{ $value | humanizePercentage }} of its file descriptors. At the limit it can accept and open no connection.`,
      panel: panel(HOST.files),
      threshold: descriptors.ratio,
      variables: OF_SERVICE,
      cases: [
        firing('nine tenths', '10m', { [files]: '900x60', [fileLimit]: '1000x60' }, serviceFires('90%', one)),
        quiet('a few', '10m', { [files]: '40x60', [fileLimit]: '1000x60' }),
        noData('no runtime metrics'),
      ],
    },
    {
      name: 'GcTimeHigh',
      severity: 'warning',
      expr: `max by (${BY_SERVICE}) (sum by (${BY_INSTANCE}) (rate(${SERIES.gcTime}[5m]))) > ${gc.ratio}`,
      timing: gc,
      summary: `${SERVICE} spends its time collecting garbage`,
      description:
        'One of its processes spends {{ $value | humanizePercentage }} of the time on it: it allocates too much, or its heap is nearly full.',
      panel: panel(HOST.gc),
      threshold: gc.ratio,
      variables: OF_SERVICE,
      cases: [
        firing(
          'a fifth of the time, both kinds together',
          '20m',
          { [collected('major')]: '0+1.5x90', [collected('minor')]: '0+1.5x90' },
          serviceFires('20%'),
        ),
        quiet('a hundredth', '20m', { [collected('minor')]: '0+0.15x90' }),
        noData('no runtime metrics'),
      ],
    },
    {
      name: 'HeapNearLimit',
      severity: 'critical',
      expr: `max by (${BY_INSTANCE}) (sum without (${LABEL.heapSpace}) (${SERIES.heapUsed}) / ${SERIES.heapLimit}) > ${heap.ratio}`,
      timing: heap,
      summary: `The heap of a process of ${SERVICE} is nearly full`,
      description: `Instance {{ $labels.${LABEL.instance} }} uses {{ $value | humanizePercentage }} of what V8 lets it grow to. At the limit the process ends with "heap out of memory".`,
      panel: panel(HOST.heap),
      threshold: heap.ratio,
      variables: OF_SERVICE,
      cases: [
        firing(
          'nineteen twentieths, all spaces together',
          '10m',
          { [heapUsed('old_space')]: '90e6x60', [heapUsed('new_space')]: '5e6x60', [heapLimit]: '100e6x60' },
          serviceFires('95%', one),
        ),
        quiet('half of it', '10m', { [heapUsed('old_space')]: '50e6x60', [heapLimit]: '100e6x60' }),
        noData('no runtime metrics'),
      ],
    },
    {
      name: 'ServiceRestartLoop',
      severity: 'critical',
      expr:
        `count by (${BY_SERVICE}) (last_over_time(${FROM_SDK}[30m]))\n` +
        `/ count by (${BY_SERVICE}) (${FROM_SDK}) > ${restarts.ratio}`,
      timing: restarts,
      summary: `${SERVICE} starts again and again`,
      description:
        'For each instance that runs, {{ $value | humanize }} have spoken in the last half hour: it ends soon after its start.',
      panel: panel(HOST.restarts),
      threshold: restarts.ratio,
      variables: OF_SERVICE,
      cases: [
        firing(
          'a new process every three minutes',
          '20m',
          Object.fromEntries([0, 1, 2, 3, 4, 5, 6].map((id) => [instance(id), `_x${id * 12} 1x11 stale`])),
          serviceFires('7'),
        ),
        quiet('one restart', '20m', { [instance(0)]: '1x40 stale', [instance(1)]: '_x44 1x60' }),
        quiet('a new version on all of four instances', '20m', {
          ...Object.fromEntries([0, 1, 2, 3].map((id) => [instance(id), '1x40 stale'])),
          ...Object.fromEntries([4, 5, 6, 7].map((id) => [instance(id), '_x42 1x60'])),
        }),
        noData('no service'),
      ],
    },
  ];
}
