import { defineCommand } from '../frame/command.ts';
import type { Area, Command } from '../frame/command.ts';
import { flag, optional, withDefault } from '../frame/parameters.ts';
import { text, wholeNumber } from '../frame/value-types.ts';
import type { DownInput } from './down.ts';
import type { StatusInput } from './status.ts';
import type { UpInput } from './up.ts';

const HOME = 'folder of state, default KEELSON_HOME, then ./.keelson';

const up: Command = defineCommand<UpInput>({
  name: 'up',
  summary: 'start Collector, Jaeger, Prometheus, Alertmanager and Grafana with docker compose',
  details:
    'Copies its files to <home>/stack, where they can be changed: a later version leaves changed files alone. Says before anything starts ' +
    'which ports are taken and which secrets are missing in <home>/secrets. Variables of the compose file can be set in the environment or ' +
    'in <home>/stack/.env. Makes the password of Grafana, and never shows it.',
  examples: ['keelson stack up', 'keelson stack up --host-metrics', 'keelson stack up --wait 300 --json'],
  parameters: {
    home: optional('--home <dir>', HOME, text),
    hostMetrics: flag('--host-metrics', 'report this machine too: its disks, memory and processors'),
    wait: withDefault(
      '--wait <seconds>',
      'how long it may take until all of it is healthy',
      wholeNumber(1, 86_400),
      '600',
    ),
  },
  load: async () => (await import('./up.ts')).up,
});

const down: Command = defineCommand<DownInput>({
  name: 'down',
  summary: 'stop the stack; its data is kept',
  details:
    'Touches only what `keelson stack up` started from this home. With --volumes the data goes too; that needs --yes, and without it says what would be removed.',
  examples: ['keelson stack down', 'keelson stack down --volumes --yes'],
  parameters: {
    home: optional('--home <dir>', HOME, text),
    volumes: flag('--volumes', 'remove the data as well: metrics, silences, queues, Grafana'),
    yes: flag('--yes', 'do not ask'),
  },
  load: async () => (await import('./down.ts')).down,
});

const status: Command = defineCommand<StatusInput>({
  name: 'status',
  summary: 'say what of the stack runs, how it is, and where it listens',
  details: 'Ends with 1 where it does not run, or something of it is not healthy.',
  examples: ['keelson stack status', 'keelson stack status --json'],
  parameters: { home: optional('--home <dir>', HOME, text) },
  load: async () => (await import('./status.ts')).status,
});

/** `keelson stack ...`. */
export const stackArea: Area = {
  name: 'stack',
  summary: 'the stack that reads the telemetry, in Docker',
  commands: [up, down, status],
};
