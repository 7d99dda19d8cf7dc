import { defineCommand } from '../frame/command.ts';
import type { Command } from '../frame/command.ts';
import { optional, repeated, withDefault } from '../frame/parameters.ts';
import { choice, duration, httpUrl, otlpBaseUrl, text } from '../frame/value-types.ts';
import type { DoctorInput } from './doctor.ts';
import { SKIPPABLE } from './skippable.ts';

/** `keelson doctor`. */
export const doctorCommand: Command = defineCommand<DoctorInput>({
  name: 'doctor',
  summary: 'check this machine and the stack from end to end',
  details:
    'Checks Node, the home and the variables; sends one span, metric and log through OTLP and looks for them in Jaeger and Prometheus; fires a ' +
    'test alert of severity info in Alertmanager, sees it there and ends it. Says in words what is broken and what to do. Ends with 1 where a ' +
    'check failed; warnings are 0. The addresses default to those of docker-compose.yml.',
  examples: [
    'keelson doctor',
    'keelson doctor --json',
    'keelson doctor --otlp https://otlp.example.com --skip jaeger --skip prometheus --skip alertmanager',
  ],
  parameters: {
    home: optional('--home <dir>', 'folder of state, default KEELSON_HOME, then ./.keelson', text),
    otlp: optional(
      '--otlp <url>',
      'OTLP receiver, default OTEL_EXPORTER_OTLP_ENDPOINT, then http://localhost:4318',
      otlpBaseUrl,
    ),
    jaeger: withDefault('--jaeger <url>', "Jaeger's query address", httpUrl, 'http://localhost:16686'),
    prometheus: withDefault('--prometheus <url>', 'Prometheus', httpUrl, 'http://localhost:9090'),
    alertmanager: withDefault('--alertmanager <url>', 'Alertmanager', httpUrl, 'http://localhost:9093'),
    skip: repeated('--skip <backend>', `leave out one of ${SKIPPABLE.join(', ')}`, choice(SKIPPABLE)),
    wait: withDefault('--wait <duration>', 'how long each thing may take to arrive', duration, '30s'),
  },
  load: async () => (await import('./doctor.ts')).doctor,
});
