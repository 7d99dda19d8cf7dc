import { spawnSync } from 'node:child_process';

const NEEDED = { major: 1, minor: 26 };
const REMEDY =
  'Install Go 1.26 or newer (https://go.dev/dl/), put its bin folder on the PATH, and run `npm run stack:install` again.';

/**
 * @param reported what `go version` printed, or undefined where there is no `go`
 * @returns what is wrong with it and what to do, or undefined where it will do
 */
export function goProblem(reported: string | undefined): string | undefined {
  if (reported === undefined) {
    return `The stack's backends are compiled from Go modules, and there is no \`go\` on the PATH. ${REMEDY}`;
  }
  const version = /\bgo(\d+)\.(\d+)/.exec(reported);
  const major = Number(version?.[1]);
  const minor = Number(version?.[2]);
  if (major > NEEDED.major || (major === NEEDED.major && minor >= NEEDED.minor)) return undefined;
  return `The stack's backends need Go ${NEEDED.major}.${NEEDED.minor} or newer, got \`${reported.trim()}\`. ${REMEDY}`;
}

/** @throws where Go is missing or too old */
export function checkGo(): void {
  const result = spawnSync('go', ['version'], {
    encoding: 'utf8',
    env: { ...process.env, GOTOOLCHAIN: 'local' },
  });
  const problem = goProblem(result.status === 0 ? result.stdout : undefined);
  if (problem !== undefined) throw new Error(problem);
}
