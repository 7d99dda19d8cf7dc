import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInMemory } from '../cli-harness.ts';
import type { CliRun } from '../cli-harness.ts';

// Answers from files beside it, and writes down what it was asked, and what of compose's variables it was given.
const SCRIPT = `#!/bin/sh
here="$(dirname "$0")/../answers"
echo "$*" >> "$here/calls"
env | grep '^COMPOSE_' >> "$here/compose-variables"
say() { [ -f "$here/$1" ] && cat "$here/$1"; }
case "$*" in
  'compose version --short') say compose-version || { echo 'docker: unknown command: docker compose' >&2; exit 1; } ;;
  'version --format '*) [ ! -f "$here/no-daemon" ] || { cat "$here/no-daemon" >&2; exit 1; }; echo 28.2.2 ;;
  'ps --all --filter '*) say config-files ;;
  'volume ls '*) say volumes ;;
  *' config --format json') say config ;;
  *' ps --all --format json') say containers ;;
  *' logs '*) say logs ;;
  *' up '*)
    cp "$here/containers-after-up" "$here/containers"
    [ ! -f "$here/up-fails" ] || { cat "$here/up-fails" >&2; exit 1; } ;;
  *' down'*) rm -f "$here/containers"; case "$*" in *--volumes*) rm -f "$here/volumes" ;; esac ;;
esac
exit 0
`;

const TARGETS = [3000, 4317, 4318, 9090, 9093, 16_686] as const;

/** One line of `docker compose ps --format json`. */
export const container = (service: string, health: string, state = 'running', exitCode = 0): string =>
  JSON.stringify({ Service: service, State: state, Health: health, ExitCode: exitCode });

/** A stack that is well. */
export const HEALTHY: string = [
  container('prometheus', 'healthy'),
  container('secrets-init', '', 'exited'),
].join('\n');

/** A `docker` of the test's own on the PATH, and a home. */
export class FakeDocker {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'keelson-docker-'));
  readonly home: string = join(this.folder, 'home');
  readonly secrets: string = join(this.home, 'secrets');
  readonly env: Record<string, string> = {
    PATH: `${join(this.folder, 'bin')}:/usr/bin:/bin`,
    KEELSON_HOME: this.home,
  };

  constructor() {
    mkdirSync(join(this.folder, 'bin'));
    mkdirSync(join(this.folder, 'answers'));
    writeFileSync(join(this.folder, 'bin', 'docker'), SCRIPT);
    chmodSync(join(this.folder, 'bin', 'docker'), 0o755);
    this.answer('compose-version', '2.40.3\n');
    this.answer('containers-after-up', HEALTHY);
    this.publish({});
  }

  /** What it answers from now on. */
  answer(what: string, text: string): void {
    writeFileSync(join(this.folder, 'answers', what), text);
  }

  /** Takes an answer away. */
  forget(what: string): void {
    rmSync(join(this.folder, 'answers', what), { force: true });
  }

  /** The ports that compose makes of the file: where nothing else is said, 0, which is always free. */
  publish(ports: Readonly<Record<number, number>>, address = '127.0.0.1'): void {
    const list = TARGETS.map((target) => ({
      host_ip: address,
      published: String(ports[target] ?? 0),
      target,
    }));
    const services = {
      prometheus: { restart: 'unless-stopped', ports: list },
      'secrets-init': { restart: 'no' },
      'host-collector': { restart: 'unless-stopped', profiles: ['host'] },
    };
    this.answer('config', JSON.stringify({ services }));
  }

  /** Writes secrets into the home. */
  giveSecrets(...names: readonly string[]): void {
    mkdirSync(this.secrets, { recursive: true, mode: 0o700 });
    chmodSync(this.home, 0o700);
    for (const name of names) writeFileSync(join(this.secrets, name), 'https://hooks.example/secret-0815');
  }

  /** What it was asked so far: every command line, or compose's variables. */
  heard(what: 'calls' | 'compose-variables' = 'calls'): readonly string[] {
    const path = join(this.folder, 'answers', what);
    return existsSync(path)
      ? readFileSync(path, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
      : [];
  }

  /** Takes it off the PATH. */
  hide(): void {
    this.env['PATH'] = join(this.folder, 'nowhere');
  }

  /** Runs `keelson stack` with it. */
  run(...args: readonly string[]): Promise<CliRun> {
    return runInMemory(['stack', ...args], { env: this.env, cwd: this.folder });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
