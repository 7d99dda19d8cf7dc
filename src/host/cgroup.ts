import { cgroupFolders, cpuQuotaOf, membershipsOf, memoryLimitOf, mountsOf } from './cgroup-text.ts';
import type { CgroupFolders } from './cgroup-text.ts';
import { amountOf, keyedAmounts, pressureOf, TICKS_PER_SECOND } from './proc-text.ts';
import type { ReadText } from './read-text.ts';
import { PRESSURE_RESOURCES } from './sample.ts';
import type { ContainerCpu, ContainerMemory, ContainerReading, PressureSample } from './sample.ts';

/** A control group that limits this process, or the process's own where none does. */
interface Group {
  readonly version: 1 | 2;
  readonly folder: string;
  /** How many levels above the process's own group it is. */
  readonly above: number;
  readonly limit: number | undefined;
}

/** The groups that hold for this process. */
interface Groups {
  readonly memory?: Group | undefined;
  readonly cpu?: Group | undefined;
  /** Version 1 counts processor time in a hierarchy of its own. */
  readonly cpuTime?: string | undefined;
  readonly pressure?: string | undefined;
}

/** Groups and limits seldom change; they are looked up again after so many readings (a minute at the usual interval). */
const READINGS_PER_LOOKUP = 12;

const NANOSECONDS = 1e9;
const MICROSECONDS = 1e6;

/** Tells the limit of a group; `undefined` where the group does not have the controller at all. */
type LimitOf = (
  version: 1 | 2,
  folder: string,
) => Promise<{ readonly limit: number | undefined } | undefined>;

/**
 * Reads what the kernel counts for the container: the nearest control group with the tightest limit on the way from the process's own
 * group outwards, for memory and processors each, in version 1, 2 and both together. The root of a hierarchy is the machine, not a container.
 */
export class CgroupReader {
  readonly #read: ReadText;
  #groups: Groups = {};
  #readings = 0;

  constructor(read: ReadText) {
    this.#read = read;
  }

  /** @returns what can be told; `undefined` where the process is in no control group but the machine's */
  async container(): Promise<ContainerReading | undefined> {
    if (this.#readings % READINGS_PER_LOOKUP === 0) this.#groups = await this.#lookup();
    this.#readings += 1;
    const { memory, cpu, pressure } = this.#groups;
    const reading: ContainerReading = {
      memory: memory && (await this.#memory(memory)),
      cpu: cpu && (await this.#cpu(cpu)),
      pressure: pressure === undefined ? undefined : await this.#pressure(pressure),
    };
    return reading.memory || reading.cpu || reading.pressure ? reading : undefined;
  }

  async #lookup(): Promise<Groups> {
    const memberships = membershipsOf((await this.#read('/proc/self/cgroup')) ?? '');
    const mounts = mountsOf((await this.#read('/proc/self/mountinfo')) ?? '');
    const find = (controller: string | undefined): Promise<CgroupFolders | undefined> =>
      this.#withoutRoot(cgroupFolders(memberships, mounts, controller));
    const cpu = await tightest(await find('cpu'), this.#cpuLimit);
    const cpuTime = await find('cpuacct');
    return {
      memory: await tightest(await find('memory'), this.#memoryLimit),
      cpu,
      cpuTime: cpu?.version === 1 && cpuTime?.version === 1 ? cpuTime.folders[cpu.above] : undefined,
      pressure: (await find(undefined))?.folders[0],
    };
  }

  /** Only the root of a hierarchy has `release_agent` (version 1) or lacks `cgroup.events` (version 2): cgroups(7). */
  async #withoutRoot(found: CgroupFolders | undefined): Promise<CgroupFolders | undefined> {
    const outermost = found?.folders.at(-1);
    if (!found || outermost === undefined) return undefined;
    const isRoot =
      found.version === 1
        ? (await this.#read(`${outermost}/release_agent`)) !== undefined
        : (await this.#read(`${outermost}/cgroup.events`)) === undefined;
    return isRoot ? { ...found, folders: found.folders.slice(0, -1) } : found;
  }

  readonly #memoryLimit: LimitOf = async (version, folder) => {
    const text = await this.#read(`${folder}/${version === 1 ? 'memory.limit_in_bytes' : 'memory.max'}`);
    return text === undefined ? undefined : { limit: memoryLimitOf(text) };
  };

  readonly #cpuLimit: LimitOf = async (version, folder) => {
    const quota = await this.#read(`${folder}/${version === 1 ? 'cpu.cfs_quota_us' : 'cpu.max'}`);
    if (quota === undefined) return undefined;
    if (version === 2) return { limit: cpuQuotaOf(quota) };
    const period = (await this.#read(`${folder}/cpu.cfs_period_us`)) ?? '';
    return { limit: cpuQuotaOf(`${quota} ${period}`) };
  };

  /** What is used less what the kernel can drop at once (inactive file pages), as Kubernetes counts the working set. */
  async #memory({ version, folder, limit }: Group): Promise<ContainerMemory | undefined> {
    const file = version === 1 ? 'memory.usage_in_bytes' : 'memory.current';
    const usage = amountOf(await this.#read(`${folder}/${file}`));
    if (usage === undefined) return undefined;
    const stat = keyedAmounts((await this.#read(`${folder}/memory.stat`)) ?? '');
    const droppable = stat.get('total_inactive_file') ?? stat.get('inactive_file') ?? 0;
    return { limit, usage, workingSet: Math.max(0, usage - droppable) };
  }

  async #cpu({ version, folder, limit }: Group): Promise<ContainerCpu | undefined> {
    const text = await this.#read(`${folder}/cpu.stat`);
    if (text === undefined) return undefined;
    const stat = keyedAmounts(text);
    const throttled =
      version === 1
        ? scaled(stat.get('throttled_time'), NANOSECONDS)
        : scaled(stat.get('throttled_usec'), MICROSECONDS);
    const periods = stat.get('nr_periods');
    const throttledPeriods = stat.get('nr_throttled');
    return {
      limit,
      time: version === 1 ? await this.#timeOfVersion1() : timeOfVersion2(stat),
      throttling:
        periods === undefined || throttledPeriods === undefined || throttled === undefined
          ? undefined
          : { periods, throttledPeriods, throttledSeconds: throttled },
    };
  }

  async #timeOfVersion1(): Promise<ContainerCpu['time']> {
    const folder = this.#groups.cpuTime;
    const text = folder === undefined ? undefined : await this.#read(`${folder}/cpuacct.stat`);
    const stat = keyedAmounts(text ?? '');
    return timeOf(scaled(stat.get('user'), TICKS_PER_SECOND), scaled(stat.get('system'), TICKS_PER_SECOND));
  }

  async #pressure(folder: string): Promise<PressureSample | undefined> {
    return readPressure(this.#read, (resource) => `${folder}/${resource}.pressure`);
  }
}

async function tightest(found: CgroupFolders | undefined, limitOf: LimitOf): Promise<Group | undefined> {
  if (!found) return undefined;
  const { version, folders } = found;
  let group: Group | undefined;
  for (const [above, folder] of folders.entries()) {
    const told = await limitOf(version, folder);
    if (!told) continue;
    const isTighter = (told.limit ?? Number.POSITIVE_INFINITY) < (group?.limit ?? Number.POSITIVE_INFINITY);
    if (!group || isTighter) group = { version, folder, above, limit: told.limit };
  }
  return group;
}

function timeOf(user: number | undefined, system: number | undefined): ContainerCpu['time'] {
  return user === undefined || system === undefined ? undefined : { user, system };
}

function timeOfVersion2(stat: ReadonlyMap<string, number>): ContainerCpu['time'] {
  return timeOf(scaled(stat.get('user_usec'), MICROSECONDS), scaled(stat.get('system_usec'), MICROSECONDS));
}

function scaled(amount: number | undefined, unit: number): number | undefined {
  return amount === undefined ? undefined : amount / unit;
}

/**
 * Reads the pressure of all resources, one file after another.
 * @returns `undefined` where the kernel tells none: before Linux 4.20, or where it is switched off
 */
export async function readPressure(
  read: ReadText,
  pathOf: (resource: keyof PressureSample) => string,
): Promise<PressureSample | undefined> {
  const sample: { -readonly [Resource in keyof PressureSample]: PressureSample[Resource] } = {};
  for (const resource of PRESSURE_RESOURCES) {
    const pressure = pressureOf((await read(pathOf(resource))) ?? '');
    if (pressure) sample[resource] = pressure;
  }
  return Object.keys(sample).length > 0 ? sample : undefined;
}
