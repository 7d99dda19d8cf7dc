import { defineCommand } from '../command.ts';
import type { Area, Command } from '../command.ts';
import { optional } from '../parameters.ts';
import { text } from '../value-types.ts';
import type { StatusInput } from './status.ts';

const HOME = 'folder of state, default KEELSON_HOME, then ./.keelson';

const status: Command = defineCommand<StatusInput>({
  name: 'status',
  summary: 'say what waits in the journal, and what needs attention',
  details:
    'Ends with 1 where undelivered telemetry of a process that is gone is older than a minute, where batches were rejected, or where a ' +
    'cursor cannot be read. A home that does not exist holds nothing that waits: that is 0.',
  examples: ['keelson telemetry status', 'keelson telemetry status --home /var/lib/shop/.keelson --json'],
  parameters: { home: optional('--home <dir>', HOME, text) },
  load: async () => (await import('./status.ts')).status,
});

/** `keelson telemetry ...`. */
export const telemetryArea: Area = {
  name: 'telemetry',
  summary: 'telemetry on disk: what waits, sending it again, reading it',
  commands: [status],
};
