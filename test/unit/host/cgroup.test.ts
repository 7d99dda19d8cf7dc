import { describe, expect, test } from 'vitest';
import { cpuQuotaOf, memoryLimitOf, mountsOf } from '../../../src/host/cgroup-text.ts';
import { CgroupReader } from '../../../src/host/cgroup.ts';

type Files = Readonly<Record<string, string>>;

const reading = (files: Files) => new CgroupReader((path) => Promise.resolve(files[path])).container();

/** Files of one folder. */
const folder = (path: string, files: Files): Files =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`${path}/${name}`, text]));

const V2_MOUNT = '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n';
const CPU_STAT_V2 = `usage_usec 3000000
user_usec 2000000
system_usec 1000000
nr_periods 40
nr_throttled 10
throttled_usec 2500000
`;
const PRESSURE = 'some avg10=1.00 avg60=0.00 avg300=0.00 total=1000000\n';
const NO_LIMIT_V1 = '9223372036854771712\n';

const v1Mount = (controllers: string, root = '/'): string =>
  `32 31 0:29 ${root} /sys/fs/cgroup/${controllers} rw - cgroup cgroup rw,${controllers}\n`;

describe('a control group of version 2', () => {
  const nested: Files = {
    '/proc/self/cgroup': '0::/system.slice/shop.service/worker\n',
    '/proc/self/mountinfo': V2_MOUNT,
    ...folder('/sys/fs/cgroup', { 'cpu.stat': CPU_STAT_V2, 'memory.pressure': PRESSURE }),
    ...folder('/sys/fs/cgroup/system.slice', { 'memory.max': '9000000\n', 'cpu.max': 'max 100000\n' }),
    ...folder('/sys/fs/cgroup/system.slice/shop.service', {
      'memory.max': '1000000\n',
      'memory.current': '800000\n',
      'memory.stat': 'anon 1\ninactive_file 300000\nactive_file 5\n',
      'cpu.max': '50000 100000\n',
      'cpu.stat': CPU_STAT_V2,
    }),
    ...folder('/sys/fs/cgroup/system.slice/shop.service/worker', {
      'memory.max': 'max\n',
      'memory.current': '5\n',
      'cpu.max': 'max 100000\n',
      'cpu.stat': 'usage_usec 1\n',
      'cpu.pressure': PRESSURE,
    }),
  };

  test('is the one with the tightest limit on the way from the own group outwards', async () => {
    expect(await reading(nested)).toEqual({
      memory: { limit: 1_000_000, usage: 800_000, workingSet: 500_000 },
      cpu: {
        limit: 0.5,
        time: { user: 2, system: 1 },
        throttling: { periods: 40, throttledPeriods: 10, throttledSeconds: 2.5 },
      },
      pressure: { cpu: { some: { share: 0.01, seconds: 1 }, full: undefined } },
    });
  });

  test('is the mount itself in a namespace of its own', async () => {
    const files = {
      '/proc/self/cgroup': '0::/\n',
      '/proc/self/mountinfo': V2_MOUNT,
      ...folder('/sys/fs/cgroup', {
        'cgroup.events': 'populated 1\n',
        'memory.max': '1000\n',
        'memory.current': '900\n',
        'cpu.max': 'max 100000\n',
        'cpu.stat': 'user_usec 1\nsystem_usec 1\n',
      }),
    };
    expect(await reading(files)).toMatchObject({
      memory: { limit: 1_000, usage: 900, workingSet: 900 },
      cpu: { limit: undefined, throttling: undefined },
    });
  });

  test('is the nearest one that counts, where the own one does not have the controller', async () => {
    const limitless = Object.fromEntries(
      Object.entries({ ...nested, '/sys/fs/cgroup/system.slice/shop.service/memory.max': 'max\n' }).filter(
        ([path]) => !path.includes('/worker/') && path !== '/sys/fs/cgroup/system.slice/memory.max',
      ),
    );
    expect((await reading(limitless))?.memory).toEqual({
      limit: undefined,
      usage: 800_000,
      workingSet: 500_000,
    });
  });

  test('is none for the root of the machine', async () => {
    const files = {
      '/proc/self/cgroup': '0::/\n',
      '/proc/self/mountinfo': V2_MOUNT,
      ...folder('/sys/fs/cgroup', { 'cpu.stat': CPU_STAT_V2, 'cpu.pressure': PRESSURE }),
    };
    expect(await reading(files)).toBeUndefined();
  });
});

describe('a control group of version 1', () => {
  const docker: Files = {
    '/proc/self/cgroup': '5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n',
    '/proc/self/mountinfo': v1Mount('memory', '/docker/abc') + v1Mount('cpu,cpuacct', '/docker/abc'),
    ...folder('/sys/fs/cgroup/memory', {
      'memory.limit_in_bytes': '1000000\n',
      'memory.usage_in_bytes': '700000\n',
      'memory.stat': 'inactive_file 1\ntotal_inactive_file 200000\n',
    }),
    ...folder('/sys/fs/cgroup/cpu,cpuacct', {
      'cpu.cfs_quota_us': '25000\n',
      'cpu.cfs_period_us': '100000\n',
      'cpu.stat': 'nr_periods 8\nnr_throttled 2\nthrottled_time 1500000000\n',
      'cpuacct.stat': 'user 200\nsystem 50\n',
    }),
  };

  test('counts nanoseconds and ticks, and is mounted without its way from the root', async () => {
    expect(await reading(docker)).toEqual({
      memory: { limit: 1_000_000, usage: 700_000, workingSet: 500_000 },
      cpu: {
        limit: 0.25,
        time: { user: 2, system: 0.5 },
        throttling: { periods: 8, throttledPeriods: 2, throttledSeconds: 1.5 },
      },
      pressure: undefined,
    });
  });

  test('without a limit has none', async () => {
    const free = {
      ...docker,
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': NO_LIMIT_V1,
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
    };
    const found = await reading(free);
    expect(found?.memory).toEqual({ limit: undefined, usage: 700_000, workingSet: 500_000 });
    expect(found?.cpu?.limit).toBeUndefined();
  });

  test('is none for the root of the machine', async () => {
    const root = {
      ...docker,
      '/proc/self/cgroup': '5:memory:/\n4:cpu,cpuacct:/\n',
      '/proc/self/mountinfo': v1Mount('memory') + v1Mount('cpu,cpuacct'),
      '/sys/fs/cgroup/memory/release_agent': '\n',
      '/sys/fs/cgroup/cpu,cpuacct/release_agent': '\n',
    };
    expect(await reading(root)).toBeUndefined();
  });

  test('stands beside version 2 in a hybrid setup, where each controller is in one of them', async () => {
    const hybrid = {
      ...docker,
      '/proc/self/cgroup': `${docker['/proc/self/cgroup']}0::/docker/abc\n`,
      '/proc/self/mountinfo': `${docker['/proc/self/mountinfo']}41 31 0:38 /docker/abc /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n`,
      ...folder('/sys/fs/cgroup/unified', { 'cgroup.events': '', 'io.pressure': PRESSURE }),
    };
    expect(await reading(hybrid)).toMatchObject({
      memory: { limit: 1_000_000 },
      pressure: { io: { some: { share: 0.01 } } },
    });
  });
});

describe('the files about control groups', () => {
  test('are looked up once, and again after a minute', async () => {
    const asked: string[] = [];
    const files: Record<string, string> = {
      '/proc/self/cgroup': '0::/a\n',
      '/proc/self/mountinfo': V2_MOUNT,
      ...folder('/sys/fs/cgroup/a', { 'memory.max': '100\n', 'memory.current': '50\n' }),
    };
    const reader = new CgroupReader((path) => {
      asked.push(path);
      return Promise.resolve(files[path]);
    });
    for (let reading = 0; reading < 12; reading += 1) await reader.container();
    expect(asked.filter((path) => path === '/proc/self/cgroup')).toHaveLength(1);
    files['/sys/fs/cgroup/a/memory.max'] = '200\n';
    expect((await reader.container())?.memory?.limit).toBe(200);
  });

  test('tell a quota in processors', () => {
    expect(cpuQuotaOf('50000 100000\n')).toBe(0.5);
    expect(cpuQuotaOf('max 100000\n')).toBeUndefined();
    expect(cpuQuotaOf('-1 100000')).toBeUndefined();
    expect(cpuQuotaOf('1000 0')).toBeUndefined();
    expect(cpuQuotaOf(undefined)).toBeUndefined();
    expect(memoryLimitOf('max\n')).toBeUndefined();
  });

  test('have blanks of a path as octal numbers', () => {
    const line = String.raw`30 23 0:26 / /mnt/my\040groups rw - cgroup2 cgroup2 rw`;
    expect(mountsOf(line)).toEqual([{ version: 2, controllers: [], root: '/', point: '/mnt/my groups' }]);
  });
});
