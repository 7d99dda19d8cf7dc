import * as units from '@grafana/grafana-foundation-sdk/units';
import { RATE } from '../guard-queries.ts';
import { HOST } from '../panel-ids.ts';
import { LABEL, selector, SERIES } from '../queries.ts';
import type { Settings } from '../settings/settings.ts';
import type { AnyPanel, PanelMaker } from './panel-maker.ts';

const SERVICE = LABEL.service;
const LEGEND = `{{${SERVICE}}}`;

/** Processes: what they use, and what they would use. */
export function processPanels(
  make: PanelMaker,
  scope: readonly string[],
  { thresholds }: Settings,
): readonly AnyPanel[] {
  const of = (series: string): string => `${series}${selector(...scope)}`;
  const { hours } = thresholds.ProcessMemoryGrowing;
  return [
    make.lines({
      id: HOST.processCpu,
      title: 'Processes: processors',
      description:
        'Share of what the process may use, the busiest instance of each service. Worry near 100 %.',
      unit: units.PercentUnit,
      width: 8,
      queries: [
        {
          expr: `max by (${SERVICE}) (sum without (${LABEL.cpuMode}) (${of(SERIES.processCpu)}))`,
          legend: LEGEND,
        },
      ],
      related: ['EventLoopSaturated'],
      max: 1,
    }),
    make.lines({
      id: HOST.processMemory,
      title: 'Processes: memory',
      description: 'Resident memory, the largest instance of each service. Worry when it only grows.',
      unit: units.BytesIEC,
      width: 6,
      queries: [{ expr: `max by (${SERVICE}) (${of(SERIES.processMemory)})`, legend: LEGEND }],
      related: ['ContainerMemoryCritical'],
    }),
    make.lines({
      id: HOST.memoryForecast,
      title: `Processes: memory in ${hours} hours`,
      description: `Share of the limit in ${hours} hours, at the pace of the last one. Worry at 100 %.`,
      unit: units.PercentUnit,
      width: 6,
      queries: [
        {
          expr: `max by (${SERVICE}) (predict_linear(${of(SERIES.processMemory)}[1h], ${hours} * 3600) / (${of(SERIES.containerMemoryLimit)} or ${of(SERIES.memoryLimit)}))`,
          legend: LEGEND,
        },
      ],
    }),
    make.lines({
      id: HOST.files,
      title: 'Processes: file descriptors of their limit',
      description:
        'Files and sockets that are open. Worry above the line: at the limit no connection can be made.',
      unit: units.PercentUnit,
      width: 6,
      queries: [
        {
          expr: `max by (${SERVICE}) (${of(SERIES.processFiles)} / ${of(SERIES.processFileLimit)})`,
          legend: LEGEND,
        },
      ],
      noValue: 'not told by this system',
      max: 1,
    }),
    make.lines({
      id: HOST.restarts,
      title: 'Instances of half an hour for each that runs',
      description:
        'Processes that have spoken in half an hour over those that run. Worry above the line: they end soon after their start.',
      unit: units.Short,
      width: 6,
      queries: [
        {
          expr: `count by (${SERVICE}) (last_over_time(${SERIES.targetInfo}${selector(...scope, 'telemetry_sdk_name!=""')}[30m])) / count by (${SERVICE}) (${SERIES.targetInfo}${selector(...scope, 'telemetry_sdk_name!=""')})`,
          legend: LEGEND,
        },
      ],
    }),
  ];
}

/** The event loop and the heap of Node. */
export function runtimePanels(make: PanelMaker, scope: readonly string[]): readonly AnyPanel[] {
  const of = (series: string): string => `${series}${selector(...scope)}`;
  return [
    make.lines({
      id: HOST.loopDelay,
      title: 'Event loop delay p50, p99',
      description:
        'How late timers come, of the worst instance. Worry above the line: something runs too long at once.',
      unit: units.Seconds,
      width: 6,
      queries: [
        { expr: `max by (${SERVICE}) (${of(SERIES.loopDelayP50)})`, legend: `p50 ${LEGEND}` },
        { expr: `max by (${SERVICE}) (${of(SERIES.loopDelayP99)})`, legend: `p99 ${LEGEND}` },
      ],
    }),
    make.lines({
      id: HOST.loopUse,
      title: 'Event loop in use',
      description: 'Share of the time in which it was busy, of the busiest instance. Worry above the line.',
      unit: units.PercentUnit,
      width: 6,
      queries: [{ expr: `max by (${SERVICE}) (${of(SERIES.loopUse)})`, legend: LEGEND }],
      max: 1,
    }),
    make.lines({
      id: HOST.gc,
      title: 'Time spent collecting garbage',
      description:
        'Share of the time, of the worst instance. Worry above the line: it allocates too much, or the heap is nearly full.',
      unit: units.PercentUnit,
      width: 4,
      queries: [
        {
          expr: `max by (${SERVICE}) (sum by (${SERVICE}, ${LABEL.instance}) (rate(${of(SERIES.gcTime)}[${RATE}])))`,
          legend: LEGEND,
        },
      ],
      noValue: 'none',
      max: 1,
    }),
    make.lines({
      id: HOST.heap,
      title: 'Heap of its limit',
      description:
        'What V8 uses of what it may, of the fullest instance. Worry above the line: at the limit the process ends.',
      unit: units.PercentUnit,
      width: 4,
      queries: [
        {
          expr: `max by (${SERVICE}) (sum without (${LABEL.heapSpace}) (${of(SERIES.heapUsed)}) / ${of(SERIES.heapLimit)})`,
          legend: LEGEND,
        },
      ],
      max: 1,
    }),
    make.lines({
      id: HOST.uptime,
      title: 'Youngest instance',
      description:
        'Seconds since the start of the youngest instance of each service. Worry when it falls again and again.',
      unit: units.Seconds,
      width: 4,
      queries: [{ expr: `min by (${SERVICE}) (${of(SERIES.processUptime)})`, legend: LEGEND }],
      related: ['ServiceRestartLoop'],
    }),
  ];
}
