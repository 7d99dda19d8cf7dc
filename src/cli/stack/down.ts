import { KeelsonError } from '../../core/errors.ts';
import type { Run } from '../frame/command.ts';
import { EXIT } from '../frame/exit-codes.ts';
import { counted } from '../frame/quantities.ts';
import { PROJECT, StackProject } from './stack-project.ts';

/** What `keelson stack down` takes. */
export interface DownInput {
  readonly home: string | undefined;
  readonly volumes: boolean;
  readonly yes: boolean;
}

/** `keelson stack down`. */
export const down: Run<DownInput> = async ({ output, ...context }, input) => {
  const stack = new StackProject(context, input.home);
  await stack.docker.assertUsable();
  await stack.assertOwn();
  if (!stack.isPrepared) {
    await output.answer({ project: PROJECT, removed: [], volumesRemoved: [], volumesKept: [] }, () => [
      `Nothing to stop: no stack was started from ${stack.home.path}.`,
    ]);
    return EXIT.ok;
  }
  const containers = (await stack.containers(await stack.resolved()))
    .filter(({ state }) => state !== 'missing')
    .map(({ service }) => service);
  const volumes = await stack.volumes();
  if (input.volumes && volumes.length > 0 && !input.yes) {
    throw new KeelsonError(
      'ERR_KEELSON_STACK',
      `--volumes removes for good: ${volumes.join(', ')}. Nothing was stopped.`,
      { hint: 'Add --yes if that is what you want; without --volumes the data is kept.' },
    );
  }
  const removing = input.volumes ? ['--volumes'] : [];
  await stack.composeOrThrow(['--profile', '*', 'down', ...removing], 'The stack could not be stopped');
  const left = await stack.volumes();
  const document = {
    project: PROJECT,
    removed: containers,
    volumesRemoved: volumes.filter((name) => !left.includes(name)),
    volumesKept: left,
  };
  await output.answer(document, () => [
    `Stopped ${counted(containers.length, 'container')}.`,
    ...(document.volumesRemoved.length > 0 ? [`Removed ${document.volumesRemoved.join(', ')}.`] : []),
    ...(left.length > 0 ? [`Kept ${left.join(', ')}.`] : []),
  ]);
  return EXIT.ok;
};
