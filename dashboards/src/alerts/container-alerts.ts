import { type Alert, firing, noData, quiet } from '../alert.ts';
import { HOST } from '../panel-ids.ts';
import { LABEL, SERIES } from '../queries.ts';
import { OF_SERVICE } from '../rule-file.ts';
import type { Thresholds } from '../settings/thresholds.ts';
import { ofService, serviceFires } from './shop.ts';

/** A container has a host name of its own; all processes in it report the same. */
const BY = `${LABEL.namespace}, ${LABEL.service}, ${LABEL.host}`;
const SERVICE = `{{ $labels.${LABEL.service} }}`;

const workingSet = ofService(SERIES.containerMemory);
const limit = ofService(SERIES.containerMemoryLimit);
const periods = ofService(SERIES.containerPeriods);
const throttled = ofService(SERIES.containerThrottled);
const where = { [LABEL.host]: 'node-1' };

/** Alerts about containers that reach what they were given. */
export function containerAlerts(thresholds: Thresholds): readonly Alert[] {
  const { ContainerMemoryCritical: memory, ContainerThrottled: throttling } = thresholds;
  return [
    {
      name: 'ContainerMemoryCritical',
      severity: 'critical',
      expr: `max by (${BY}) (${SERIES.containerMemory} / ${SERIES.containerMemoryLimit}) > ${memory.ratio}`,
      timing: memory,
      summary: `A container of ${SERVICE} is about to be killed for its memory`,
      description: `On {{ $labels.${LABEL.host} }} it uses {{ $value | humanizePercentage }} of its limit, without what the kernel could drop.`,
      panel: { uid: HOST.uid, panel: HOST.container },
      threshold: memory.ratio,
      variables: OF_SERVICE,
      cases: [
        firing(
          'all but nothing',
          '10m',
          { [workingSet]: '99e6x60', [limit]: '100e6x60' },
          serviceFires('99%', where),
        ),
        quiet('half of it', '10m', { [workingSet]: '50e6x60', [limit]: '100e6x60' }),
        quiet('no limit', '10m', { [workingSet]: '50e9x60' }),
        noData('no container'),
      ],
    },
    {
      name: 'ContainerThrottled',
      severity: 'warning',
      expr: `max by (${BY}) (rate(${SERIES.containerThrottled}[5m])) / max by (${BY}) (rate(${SERIES.containerPeriods}[5m])) > ${throttling.ratio}`,
      timing: throttling,
      summary: `A container of ${SERVICE} waits for its processor quota`,
      description: `On {{ $labels.${LABEL.host} }} it was stopped in {{ $value | humanizePercentage }} of the periods. Its event loop stands still meanwhile, however idle the machine is.`,
      panel: { uid: HOST.uid, panel: HOST.throttling },
      threshold: throttling.ratio,
      variables: OF_SERVICE,
      cases: [
        firing(
          'in every second period',
          '25m',
          { [periods]: '0+150x120', [throttled]: '0+75x120' },
          serviceFires('50%', where),
        ),
        quiet('now and then', '25m', { [periods]: '0+150x120', [throttled]: '0+5x120' }),
        quiet('no quota', '25m', { [periods]: '0x120', [throttled]: '0x120' }),
        noData('no container'),
      ],
    },
  ];
}
