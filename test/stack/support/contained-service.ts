import { join } from 'node:path';
import { metrics } from '@opentelemetry/api';
import { makeSystemProbe } from '../../../src/host/probe.ts';
import { startHostMetrics } from '../../../src/telemetry/gauges/host-gauges.ts';
import type { Telemetry } from '../../../src/telemetry/index.ts';
import { ownTelemetry } from './own-telemetry.ts';
import type { Stack } from './stack.ts';

const PERIOD_MS = 100;
const SAMPLE_MS = 200;
const GROUP = '/sys/fs/cgroup/keelson.slice/shop.service';

/** The control group of a container with a quota of half a processor: it is stopped in every second period, and four fifths of its memory are used. */
function controlGroup(startedAt: number): Readonly<Record<string, () => string>> {
  const periods = (): number => Math.floor((performance.now() - startedAt) / PERIOD_MS);
  const stat = (): string => {
    const counted = periods();
    const used = counted * 50_000;
    return [
      `usage_usec ${used}`,
      `user_usec ${used}`,
      'system_usec 0',
      `nr_periods ${counted}`,
      `nr_throttled ${Math.floor(counted / 2)}`,
      `throttled_usec ${counted * 25_000}`,
      '',
    ].join('\n');
  };
  return {
    '/proc/self/cgroup': () => '0::/keelson.slice/shop.service\n',
    '/proc/self/mountinfo': () => '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n',
    [`${GROUP}/cgroup.events`]: () => 'populated 1\nfrozen 0\n',
    [`${GROUP}/memory.max`]: () => '268435456\n',
    [`${GROUP}/memory.current`]: () => '230000000\n',
    [`${GROUP}/memory.stat`]: () => 'anon 214000000\ninactive_file 15251636\n',
    [`${GROUP}/cpu.max`]: () => '50000 100000\n',
    [`${GROUP}/cpu.stat`]: stat,
  };
}

/**
 * A service in a container, whatever the machine that the test runs on: everything is the real one but the files that the kernel would write about
 * its control group.
 */
export class ContainedService {
  readonly #telemetry: Telemetry;
  readonly #end: () => void;

  constructor(name: string, stack: Stack) {
    this.#telemetry = ownTelemetry(name, join(stack.folder, name), stack.otlp);
    const files = controlGroup(performance.now());
    const probe = makeSystemProbe((path) => Promise.resolve(files[path]?.()));
    this.#end = startHostMetrics(metrics.getMeter('contained'), { intervalMs: SAMPLE_MS, probe });
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#telemetry.shutdown();
  }
}
