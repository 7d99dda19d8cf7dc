import { chmodSync, chownSync, readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isUp, until } from '../stack/support/poll.ts';
import { docker } from './support/docker.ts';
import { Project } from './support/project.ts';

const NOTICED_MS = 40_000;
const OWNER = 10_001;

let project: Project;

beforeEach(async () => {
  project = await Project.make();
});
afterEach(() => project.end());

/** Waits until the service that watches the volumes has this health. @returns what its check said last */
function volumesAre(health: string): Promise<string> {
  return until(
    `the volumes to be ${health}`,
    async () => {
      const { State } = await project.inspect('volumes-watch');
      return State.Health?.Status === health ? (State.Health.Log.at(-1)?.Output ?? '') : undefined;
    },
    NOTICED_MS,
  );
}

/** Makes Alertmanager's volume before compose does, as a file system of its own. */
async function plantVolume(options: string): Promise<void> {
  const labels = ['project=keelson', 'volume=alertmanager-data'].map(
    (each) => `--label=com.docker.compose.${each}`,
  );
  const flags = ['type=tmpfs', 'device=tmpfs', `o=${options}`].flatMap((each) => ['--opt', each]);
  const answer = await docker(
    project.world,
    'volume',
    'create',
    ...labels,
    ...flags,
    'keelson_alertmanager-data',
  );
  expect(answer.code, answer.text).toBe(0);
}

describe('a volume that cannot be written', () => {
  test('while it runs: is unhealthy, says which, and is healthy again', async () => {
    const started = await project.compose('up', '--detach', '--wait', 'alertmanager', 'volumes-watch');
    expect(started.code, started.text).toBe(0);
    const folder = await project.mountpoint('alertmanager-data');
    chownSync(folder, 0, 0);
    expect(await volumesAre('unhealthy')).toContain(
      "can't create /v/alertmanager/.writable: Permission denied",
    );
    // Why somebody else has to look.
    expect(await isUp(`${project.alertmanager}/-/healthy`)).toBe(true);
    expect((await project.inspect('alertmanager')).State.Health?.Status).toBe('healthy');
    chownSync(folder, OWNER, OWNER);
    chmodSync(folder, 0o755);
    await volumesAre('healthy');
    expect(readdirSync(folder)).not.toContain('.writable');
  });

  test('because it is full: `up` fails', async () => {
    await plantVolume('size=4k,nr_inodes=1');
    const answer = await project.compose('up', '--detach', '--wait', 'volumes-watch');
    expect(answer.code).not.toBe(0);
    expect(answer.text).toContain('container keelson-volumes-watch-1 is unhealthy');
    expect(await volumesAre('unhealthy')).toContain('/v/alertmanager/.writable: No space left on device');
  });

  test('because it is read-only: `up` fails before anything that keeps data starts', async () => {
    await plantVolume('ro');
    const answer = await project.compose('up', '--detach', '--wait');
    expect(answer.code).not.toBe(0);
    expect(answer.text).toContain('service "volumes-init" didn\'t complete successfully');
    expect((await project.compose('logs', 'volumes-init')).text).toContain(
      '/v/alertmanager: Read-only file system',
    );
    const running = (await project.containers()).filter(({ state }) => state === 'running');
    expect(running).toEqual([]);
  });
});
