import { Daemon } from './daemon.ts';
import { worldFolder } from './docker.ts';
import { buildImages } from './images.ts';

/** Starts the daemon of a run and makes its images, once for all test files. @returns what stops it */
export async function setup(): Promise<() => Promise<void>> {
  const folder = worldFolder();
  const started = performance.now();
  const daemon = await Daemon.start(folder);
  await buildImages(folder);
  console.log(`Docker daemon and images: ${((performance.now() - started) / 1_000).toFixed(1)} s`);
  return () => daemon.stop();
}
