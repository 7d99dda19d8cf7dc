import { fileURLToPath } from 'node:url';
import { KeelsonError } from '../../core/errors.ts';
import type { CommandContext, Run } from '../frame/command.ts';
import { EXIT } from '../frame/exit-codes.ts';
import { pause } from '../frame/pause.ts';
import { takenPorts } from './published-ports.ts';
import type { PublishedPort } from './published-ports.ts';
import { prepareStackFiles } from './stack-files.ts';
import { lastLines, PROJECT, StackProject } from './stack-project.ts';
import type { StackContainer } from './stack-project.ts';
import { reportLines, reportOn } from './stack-report.ts';
import { missingSecrets } from './stack-secrets.ts';

/** What `keelson stack up` takes. */
export interface UpInput {
  readonly home: string | undefined;
  readonly hostMetrics: boolean;
  readonly wait: number;
}

const LOOK_EVERY_MS = 1_000;
const ONCE = 'secrets-init';

/** The package that this file belongs to: it ships the stack's files. */
const PACKAGE = fileURLToPath(new URL('../../../', import.meta.url));

/** `keelson stack up`. */
export const up: Run<UpInput> = async (context, input) => {
  const { output } = context;
  const stack = new StackProject(context, input.home);
  await stack.docker.assertUsable();
  await stack.assertOwn();
  const { updated, kept } = prepareStackFiles(stack.home, PACKAGE);
  if (updated.length > 0) await output.note(`Brought up to date in ${stack.folder}: ${updated.join(', ')}`);
  for (const path of kept) {
    await output.note(`Kept your ${stack.folder}/${path}; this version's is beside it as ${path}.new`);
  }
  const compose = await stack.resolved();
  const ports = stack.ports(compose);
  const look = (): Promise<readonly StackContainer[]> => stack.containers(compose);
  await assertStartable(stack, ports, await look());
  for (const { address, variable } of ports.filter((each) => !isLoopback(each.address)).slice(0, 1)) {
    await output.note(
      `Ports open on ${address} (BIND_ADDR), such as ${variable}: only Grafana has a login. Put a proxy that authenticates in front.`,
    );
  }

  const profile = input.hostMetrics ? ['--profile', 'host'] : [];
  // What runs has read its files; compose sees no difference in what they hold.
  const anew = updated.length > 0 ? ['--force-recreate'] : [];
  const waiting = ['up', '--detach', '--wait', '--wait-timeout', String(input.wait), ...anew];
  const answer = await withProgress(context, look, stack.compose([...profile, ...waiting]));
  const services = await look();
  const report = reportOn(stack, PROJECT, ports, services);
  if (answer.code !== 0) {
    const unwell = services.filter(({ well }) => !well);
    throw await notHealthy(stack, unwell, answer.stderr);
  }
  await output.answer(report, () => reportLines(output, report));
  return EXIT.ok;
};

/** @throws {KeelsonError} `ERR_KEELSON_STACK` with everything that would make it fail, before anything starts */
async function assertStartable(
  stack: StackProject,
  ports: readonly PublishedPort[],
  containers: readonly StackContainer[],
): Promise<void> {
  const running = containers.filter(({ state }) => state === 'running');
  const own = new Set(running.map(({ service }) => service));
  const problems = [...(await takenPorts(ports.filter(({ service }) => !own.has(service))))];
  stack.home.folder('secrets');
  const missing = missingSecrets(stack.folder, stack.secrets);
  if (missing.length > 0) {
    problems.push(
      `Missing or empty in ${stack.secrets}: ${missing.join(', ')}. Write each value into the file of its name, such as: ` +
        `echo 'https://alerts.example.com/hook' > ${stack.secrets}/${missing[0]}`,
    );
  }
  if (problems.length === 0) return;
  throw new KeelsonError('ERR_KEELSON_STACK', ['The stack was not started.', ...problems].join('\n'), {
    hint: `Variables can be set in the environment or in ${stack.folder}/.env.`,
  });
}

/** Shows who is not ready yet while compose waits. */
async function withProgress<T>(
  context: CommandContext,
  look: () => Promise<readonly StackContainer[]>,
  work: Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const settled = work.finally(() => done.abort());
  // Its failure is told by the one who waits below.
  settled.catch(() => {});
  while (!done.signal.aborted && !context.signal.aborted) {
    const containers = await look().catch(() => []);
    const late = containers.filter(({ well }) => !well).map(({ service }) => service);
    const text = containers.length === 0 ? 'getting images' : `waiting for ${late.join(', ')}`;
    await context.progress.show(
      () => `${containers.length - late.length} of ${containers.length} ready, ${text}`,
    );
    await pause(context.clock, LOOK_EVERY_MS, AbortSignal.any([done.signal, context.signal]));
  }
  return settled;
}

async function notHealthy(
  stack: StackProject,
  unwell: readonly StackContainer[],
  said: string,
): Promise<KeelsonError> {
  const names = unwell.map(({ service, state, health }) => `${service} is ${health === '' ? state : health}`);
  const logs = unwell.some(({ service }) => service === ONCE)
    ? lastLines((await stack.compose(['logs', '--no-color', '--no-log-prefix', ONCE])).stdout)
    : '';
  const lines = [
    `The stack is not healthy: ${names.length > 0 ? names.join(', ') : 'docker compose failed'}.`,
    lastLines(said),
    logs,
  ];
  return new KeelsonError('ERR_KEELSON_STACK', lines.filter((line) => line !== '').join('\n'), {
    hint: `docker compose --project-name ${PROJECT} logs ${unwell[0]?.service ?? ''} says more; keelson stack down removes what was started.`,
  });
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
