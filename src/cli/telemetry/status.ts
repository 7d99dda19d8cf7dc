import { existsSync, lstatSync } from 'node:fs';
import { KeelsonError } from '../../core/errors.ts';
import { systemProcesses } from '../../host/owners/index.ts';
import { Home, systemCode, systemFiles } from '../../storage/index.ts';
import { takeInventory } from '../../telemetry/journal/inventory/index.ts';
import type { JournalInventory, SignalInventory } from '../../telemetry/journal/inventory/index.ts';
import type { Run } from '../frame/command.ts';
import { EXIT } from '../frame/exit-codes.ts';
import { fileHint } from '../frame/file-error.ts';
import type { Output } from '../frame/output.ts';
import { printable } from '../frame/printable.ts';
import { counted, formatAge, formatBytes } from '../frame/quantities.ts';
import { tableLines } from '../frame/table.ts';
import type { Column } from '../frame/table.ts';

/** What `keelson telemetry status` takes. */
export interface StatusInput {
  readonly home: string | undefined;
}

/** A problem that needs somebody, and what to do. */
export interface Attention {
  readonly what: string;
  readonly remedy: string;
}

/** `keelson telemetry status`. */
export const status: Run<StatusInput> = async (context, input) => {
  const { output, clock } = context;
  const home = new Home({ path: input.home, env: context.env, cwd: context.cwd }).path;
  const refusal = refusalOf(home);
  if (!existsSync(home) && !refusal) {
    await output.answer({ home, exists: false, healthy: true, attention: [] }, () => [
      `${printable(home)} does not exist: nothing was written there yet, and nothing waits.`,
    ]);
    return EXIT.ok;
  }
  const now = clock.epoch();
  const inventory = readInventory(home, now);
  const attention = [...(refusal ? [refusal] : []), ...attentionFor(inventory, home, now)];
  await output.answer(documentOf(home, inventory, attention, now), () =>
    humanLines(output, home, inventory, attention, now),
  );
  return attention.length > 0 ? EXIT.unwell : EXIT.ok;
};

/** Why a service would refuse the home. It is checked as the owner of the home, who can be another user than the one who asks. */
function refusalOf(home: string): Attention | undefined {
  try {
    new Home({ path: home, user: lstatSync(home, { throwIfNoEntry: false })?.uid }).check();
    return undefined;
  } catch (error) {
    if (!(error instanceof KeelsonError)) return undefined;
    return {
      what: `${error.message} A service with this home keeps telemetry in memory only.`,
      remedy: error.hint ?? '',
    };
  }
}

function readInventory(home: string, now: number): JournalInventory {
  try {
    return takeInventory({ home, files: systemFiles, processes: systemProcesses, now });
  } catch (error) {
    throw new KeelsonError('ERR_KEELSON_HOME', `Cannot read the journal in ${home}: ${systemCode(error)}.`, {
      cause: error,
      hint: fileHint(error, 'Name the folder of state with --home or KEELSON_HOME; this is none.'),
    });
  }
}

/** Finds the problems that need somebody. */
export function attentionFor(inventory: JournalInventory, home: string, now: number): readonly Attention[] {
  const found: Attention[] = [];
  for (const { signal, orphaned, rejected } of inventory.signals) {
    if (orphaned.files > 0) {
      found.push({
        what:
          `${counted(orphaned.items, 'item')} of ${signal} wait in ${counted(orphaned.files, 'segment')} of processes that are gone, ` +
          `the oldest for ${age(orphaned.oldestAt, now)}.`,
        remedy: `The next process that starts with this home sends them to its own endpoint. To send them elsewhere: keelson telemetry replay ${home} --to URL --undelivered.`,
      });
    }
    if (rejected.files > 0) {
      const { last } = rejected;
      const why = last
        ? ` The last one at ${last.time}: ${[last.reason, last.status, last.answer].filter((each) => each !== undefined).join(' ')}`
        : '';
      found.push({
        what: `${counted(rejected.files, 'batch', 'batches')} of ${signal} (${counted(rejected.items, 'item')}) set aside.${why.slice(0, 300)}`,
        remedy: `Mend what the answer says, then: keelson telemetry replay ${home}/telemetry/rejected/${signal} --to URL; remove the files afterwards.`,
      });
    }
  }
  if (inventory.unreadable.length > 0) {
    found.push({
      what: `${counted(inventory.unreadable.length, 'cursor')} cannot be read: ${inventory.unreadable.join(', ')}.`,
      remedy:
        'What it said of delivered batches is lost, and they are sent again. Remove the file once that has happened.',
    });
  }
  return found;
}

function age(since: number | undefined, now: number): string {
  return since === undefined ? '-' : formatAge(now - since);
}

function documentOf(
  home: string,
  inventory: JournalInventory,
  attention: readonly Attention[],
  now: number,
): object {
  const withAge = ({ oldestAt, ...rest }: SignalInventory['undelivered']): object => ({
    ...rest,
    ...(oldestAt !== undefined && { oldestAgeSeconds: Math.max(0, (now - oldestAt) / 1_000) }),
  });
  return {
    home,
    exists: true,
    healthy: attention.length === 0,
    attention,
    signals: Object.fromEntries(
      inventory.signals.map(({ signal, undelivered, orphaned, ...rest }) => [
        signal,
        { ...rest, undelivered: withAge(undelivered), orphaned: withAge(orphaned) },
      ]),
    ),
    owners: inventory.owners,
    foreign: inventory.foreign,
    unreadable: inventory.unreadable,
  };
}

function humanLines(
  output: Output,
  home: string,
  inventory: JournalInventory,
  attention: readonly Attention[],
  now: number,
): readonly string[] {
  const files = ({ files, bytes }: { files: number; bytes: number }): string =>
    files === 0 ? '-' : `${files} (${formatBytes(bytes)})`;
  const columns: readonly Column<SignalInventory>[] = [
    { title: 'SIGNAL', value: ({ signal }) => signal },
    { title: 'UNDELIVERED', align: 'right', value: ({ undelivered }) => counted(undelivered.items, 'item') },
    { title: 'BYTES', align: 'right', value: ({ undelivered }) => formatBytes(undelivered.bytes) },
    { title: 'OLDEST', align: 'right', value: ({ undelivered }) => age(undelivered.oldestAt, now) },
    { title: 'SEGMENTS', align: 'right', value: ({ segments }) => files(segments) },
    { title: 'ARCHIVES', align: 'right', value: ({ archives }) => files(archives) },
    { title: 'REJECTED', align: 'right', value: ({ rejected }) => files(rejected) },
  ];
  const owners = inventory.owners.map(
    ({ owner, alive, pid, host }) =>
      `  ${printable(owner)}  ${alive ? 'alive' : 'gone '}  pid ${pid ?? '?'} on ${printable(host ?? '?')}`,
  );
  return [
    `Journal of ${printable(home)}`,
    '',
    ...tableLines(columns, inventory.signals, (titles) => output.style('bold', titles)),
    ...(owners.length > 0 ? ['', output.style('bold', 'OWNERS'), ...owners] : []),
    ...(inventory.foreign.length > 0
      ? ['', `Not the journal's, left alone: ${printable(inventory.foreign.join(', '))}`]
      : []),
    '',
    ...(attention.length === 0
      ? [output.style('green', 'Nothing needs attention.')]
      : attention.flatMap(({ what, remedy }) => [
          `${output.style('yellow', 'attention:')} ${printable(what)}`,
          `  ${printable(remedy)}`,
        ])),
  ];
}
