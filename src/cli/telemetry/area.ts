import { SIGNALS } from '../../telemetry/semconv.ts';
import { defineCommand } from '../frame/command.ts';
import type { Area, Command } from '../frame/command.ts';
import { flag, optional, repeated, required, severalArguments, withDefault } from '../frame/parameters.ts';
import {
  choice,
  duration,
  header,
  moment,
  otlpBaseUrl,
  rate,
  text,
  wholeNumber,
} from '../frame/value-types.ts';
import type { ReplayInput } from './replay.ts';
import type { StatusInput } from './status.ts';
import type { TailInput } from './tail.ts';
import type { VerifyInput } from './verify.ts';

const SIGNAL = `one of ${SIGNALS.join(', ')}; all where it is left out`;
const HOME = 'folder of state, default KEELSON_HOME, then ./.keelson';

const status: Command = defineCommand<StatusInput>({
  name: 'status',
  summary: 'say what waits in the journal, and what needs attention',
  details:
    'Ends with 1 where undelivered telemetry of a process that is gone is older than a minute, where batches were rejected, where a ' +
    'cursor cannot be read, or where the home is one that a service refuses to use. A home that does not exist holds nothing that waits: that is 0.',
  examples: ['keelson telemetry status', 'keelson telemetry status --home /var/lib/shop/.keelson --json'],
  parameters: { home: optional('--home <dir>', HOME, text) },
  load: async () => (await import('./status.ts')).status,
});

const tail: Command = defineCommand<TailInput>({
  name: 'tail',
  summary: 'show the newest spans, log records and metric points',
  details:
    'Of all signals each has its share of the lines, as far as it has so many items; they are shown by time. ' +
    'With --follow it goes on until Ctrl-C, and follows new files. With --json each item is one JSON object in a line.',
  examples: [
    'keelson telemetry tail',
    'keelson telemetry tail --signal logs --follow',
    'keelson telemetry tail -n 100 --json',
  ],
  parameters: {
    home: optional('--home <dir>', HOME, text),
    signal: optional('--signal <signal>', SIGNAL, choice(SIGNALS)),
    follow: flag('-f, --follow', 'go on with what is written from now on'),
    lines: withDefault('-n, --lines <count>', 'how many items to show first', wholeNumber(0, 100_000), '10'),
  },
  load: async () => (await import('./tail.ts')).tail,
});

const replay: Command = defineCommand<ReplayInput>({
  name: 'replay',
  summary: 'send files of telemetry to an OTLP receiver',
  details:
    'Takes .jsonl and .jsonl.gz files, a home, or any folder, oldest first, and posts each line to <url>/v1/<signal>. Files are never changed. ' +
    'What is too large is split; 429 and 503 are waited for; what is refused for good, and damaged lines, are counted with file and line, and ' +
    'the rest goes on. Ends with 1 where anything was not taken. Headers, TLS and timeout come from OTEL_EXPORTER_OTLP_*. ' +
    '--undelivered sends of a home what waits; segments of living processes too, which may then arrive twice.',
  examples: [
    'keelson telemetry replay .keelson --to http://localhost:4318',
    'keelson telemetry replay .keelson --to http://localhost:4318 --undelivered',
    'keelson telemetry replay backup/*.jsonl.gz --to https://otlp.example.com --signal traces --since 2h --rate 500/s',
    'keelson telemetry replay .keelson/telemetry/rejected --to http://localhost:4318 --dry-run',
  ],
  parameters: {
    paths: severalArguments('<path...>', 'files or folders', text),
    to: required('--to <url>', 'base address of the receiver, without /v1/traces', otlpBaseUrl),
    signal: optional('--signal <signal>', SIGNAL, choice(SIGNALS)),
    since: optional('--since <time>', 'items of this time and later: 2026-11-22T10:00:00Z, or 2h', moment),
    until: optional('--until <time>', 'items before this time', moment),
    rate: optional('--rate <rate>', 'at most so much: 500/s for items, 4MiB/s for bytes', rate),
    headers: repeated('--header <name=value>', 'sent with each request; never printed', header),
    gzip: flag('--gzip', 'compress what is sent'),
    wait: withDefault(
      '--wait <duration>',
      'how long a batch waits for a receiver that is away',
      duration,
      '1m',
    ),
    undelivered: flag('--undelivered', 'of a home only what its cursors do not call delivered'),
    dryRun: flag('--dry-run', 'read and check everything, send nothing'),
  },
  load: async () => (await import('./replay.ts')).replay,
});

const verify: Command = defineCommand<VerifyInput>({
  name: 'verify',
  summary: 'check every line of files: JSON, one signal in a file, the shape of OTLP',
  details:
    'Takes .jsonl and .jsonl.gz files, a home, or any folder. Prints file:line: problem for each, and ends with 1 where there is any. The last ' +
    'line of a segment that a living process is writing may be unfinished: that is said, and is no problem.',
  examples: ['keelson telemetry verify', 'keelson telemetry verify backup/*.jsonl.gz --json'],
  parameters: {
    paths: severalArguments('[path...]', 'files or folders, default KEELSON_HOME, then ./.keelson', text),
  },
  load: async () => (await import('./verify.ts')).verify,
});

/** `keelson telemetry ...`. */
export const telemetryArea: Area = {
  name: 'telemetry',
  summary: 'telemetry on disk: what waits, sending it again, reading it',
  commands: [status, replay, tail, verify],
};
