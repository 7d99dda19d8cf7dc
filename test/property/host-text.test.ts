import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  cgroupFolders,
  cpuQuotaOf,
  membershipsOf,
  memoryLimitOf,
  mountsOf,
} from '../../src/host/cgroup-text.ts';
import { CgroupReader } from '../../src/host/cgroup.ts';
import { processStatOf } from '../../src/host/owners/proc-stat.ts';
import { makeSystemProbe } from '../../src/host/probe.ts';
import {
  amountOf,
  cpuTimesOf,
  keyedAmounts,
  memoryInfoOf,
  openFileLimitOf,
  pressureOf,
} from '../../src/host/proc-text.ts';

/** Every number that a value holds, however deep. */
function numbersIn(value: unknown): readonly number[] {
  if (typeof value === 'number') return [value];
  if (value instanceof Map) return [...value.values()].flatMap(numbersIn);
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

const digits = fc.stringMatching(/^[0-9]{0,400}$/);
const word = fc.oneof(
  digits,
  fc.constantFrom(
    'NaN',
    'Infinity',
    '-1',
    '1e999',
    '0x10',
    'max',
    '',
    ' ',
    '9'.repeat(400),
    '1.5',
    '..',
    '%',
  ),
  fc.string({ maxLength: 8 }),
);
const frame = fc.constantFrom(
  'cpu  %w %w %w %w %w\ncpu0 %w\n',
  'MemTotal: %w kB\nMemAvailable:  %w kB\nSwapTotal: %w kB\nSwapFree: %w kB\n',
  '1 (%w) S 1 2 3 0 -1 4194304 101 0 0 0 1 2 0 0 20 0 %w 0',
  'Max open files            %w    %w files\n',
  'some avg10=%w avg60=0 avg300=0 total=%w\nfull avg10=%w avg60=0 avg300=0 total=%w\n',
  '0::/%w/%w\n5:memory,cpu,cpuacct:/%w\n',
  '30 23 0:26 / /sys/%w rw - cgroup2 cgroup2 rw\n31 1 0:2 /%w /sys/fs/%w rw - cgroup x rw,memory,cpu\n',
  '%w %w\n%w %w\nnr_periods %w\nnr_throttled %w\nthrottled_usec %w\nuser_usec %w\nsystem_usec %w\n',
  '%w',
);
/** Text that is almost what the kernel writes, and text that is nothing of the kind. */
const text = fc.oneof(
  fc.tuple(frame, fc.array(word, { minLength: 8, maxLength: 8 })).map(([shape, words]) => {
    let next = 0;
    return shape.replaceAll('%w', () => words[next++ % words.length] ?? '');
  }),
  fc.string({ unit: 'binary', maxLength: 200 }),
);

test('no file, whatever it holds, makes a reader throw or gives what is no amount', () => {
  fc.assert(
    fc.property(text, text, (one, other) => {
      const told = [
        amountOf(one),
        keyedAmounts(one),
        cpuTimesOf(one),
        memoryInfoOf(one),
        processStatOf(one).threads,
        openFileLimitOf(one),
        pressureOf(one),
        memoryLimitOf(one),
        cpuQuotaOf(one),
        cgroupFolders(membershipsOf(one), mountsOf(other), 'memory'),
        cgroupFolders(membershipsOf(one), mountsOf(other), undefined),
      ];
      for (const number of told.flatMap(numbersIn)) {
        expect(Number.isFinite(number) && number >= 0).toBe(true);
      }
    }),
    { numRuns: 3_000 },
  );
});

test('no machine full of such files makes the probe fail or tell what is no amount', async () => {
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.option(text, { nil: undefined })), async (stream) => {
      const read = (): Promise<string | undefined> => Promise.resolve(stream.next().value);
      const probe = makeSystemProbe(read);
      const told = [
        await probe.cpuTimes(),
        await probe.memory(),
        await probe.pressure(),
        await probe.container(),
        await probe.processFiles(),
        await new CgroupReader(read).container(),
      ];
      for (const number of told.flatMap(numbersIn)) {
        expect(Number.isFinite(number) && number >= 0).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

test('a pressure that the kernel wrote is read back', () => {
  const hundredths = fc.integer({ min: 0, max: 10_000 });
  fc.assert(
    fc.property(hundredths, fc.maxSafeNat(), (share, microseconds) => {
      const line = `some avg10=${(share / 100).toFixed(2)} avg60=0.00 avg300=0.00 total=${microseconds}\n`;
      expect(pressureOf(line)?.some?.share).toBeCloseTo(share / 10_000, 6);
      expect(pressureOf(line)?.some?.seconds).toBe(microseconds / 1e6);
    }),
  );
});

test('the folders of a group lead from its own to the mount, each the parent of the one before', () => {
  const part = fc.stringMatching(/^[a-z][a-z0-9.@-]{0,8}$/);
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), fc.array(part, { maxLength: 3 }), (below, root) => {
      const mountRoot = `/${root.join('/')}`;
      const path = `/${[...root, ...below].join('/')}`;
      const mounts = mountsOf(`30 23 0:26 ${mountRoot} /cg rw - cgroup2 cgroup2 rw\n`);
      const found = cgroupFolders(membershipsOf(`0::${path}\n`), mounts, 'memory');
      expect(found?.folders).toEqual(
        Array.from({ length: below.length + 1 }, (_, up) =>
          ['/cg', ...below.slice(0, below.length - up)].join('/'),
        ),
      );
    }),
  );
});
