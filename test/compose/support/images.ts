import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  constants,
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { program } from '../../stack/support/backends.ts';
import { ROOT } from '../../stack/support/documents.ts';
import { docker } from './docker.ts';
import { which } from './requirements.ts';

/** An image as its publisher makes it: where the programs are, and what it starts them as. */
interface Recipe {
  /** The variable of docker-compose.yml that names the image. */
  readonly variable: string;
  /** Path in the image -> file of this machine. */
  readonly files: Readonly<Record<string, string>>;
  /** Path in the image -> content of a script. */
  readonly scripts?: Readonly<Record<string, string>>;
  /** Commands that busybox stands in for. */
  readonly busybox?: readonly string[];
  readonly changes: readonly string[];
}

const GRAFANA_STAND_IN = join(import.meta.dirname, 'grafana-stand-in.sh');

function busyboxApplets(busybox: string): readonly string[] {
  return spawnSync(busybox, ['--list'], { encoding: 'utf8' }).stdout.trim().split('\n');
}

/** @returns a program with the libraries that it is linked to, each under its own path */
function withLibraries(path: string): Readonly<Record<string, string>> {
  const { stdout } = spawnSync('ldd', [path], { encoding: 'utf8' });
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, file]) => file ?? '');
  return Object.fromEntries(libraries.map((file) => [file, file]));
}

function recipes(): readonly Recipe[] {
  const busybox = which('busybox') ?? '';
  const shell = { '/bin/busybox': busybox };
  return [
    {
      variable: 'INIT_IMAGE',
      files: shell,
      busybox: busyboxApplets(busybox).filter((name) => name !== 'busybox'),
      changes: ['CMD ["sh"]'],
    },
    {
      variable: 'COLLECTOR_IMAGE',
      files: { '/otelcol-contrib': program('otelcol') },
      changes: ['USER 10001:10001', 'ENTRYPOINT ["/otelcol-contrib"]'],
    },
    {
      variable: 'JAEGER_IMAGE',
      files: { '/cmd/jaeger/jaeger-linux': program('jaeger'), ...shell },
      busybox: ['sh', 'wget'],
      changes: ['USER 10001', 'VOLUME /tmp', 'ENTRYPOINT ["/cmd/jaeger/jaeger-linux"]'],
    },
    {
      variable: 'PROMETHEUS_IMAGE',
      files: { '/bin/prometheus': program('prometheus'), '/bin/promtool': program('promtool') },
      changes: ['USER 65534', 'WORKDIR /prometheus', 'VOLUME /prometheus', 'ENTRYPOINT ["/bin/prometheus"]'],
    },
    {
      variable: 'ALERTMANAGER_IMAGE',
      files: { '/bin/alertmanager': program('alertmanager'), '/bin/amtool': program('amtool') },
      changes: [
        'USER 65534',
        'WORKDIR /alertmanager',
        'VOLUME /alertmanager',
        'ENTRYPOINT ["/bin/alertmanager"]',
      ],
    },
    {
      variable: 'GRAFANA_IMAGE',
      files: shell,
      scripts: { '/run.sh': readFileSync(GRAFANA_STAND_IN, 'utf8') },
      busybox: ['sh', 'wget', 'httpd', 'test', 'wc', 'rm', 'touch', 'cat', 'mkdir'],
      changes: ['USER 472', 'ENTRYPOINT ["/run.sh"]'],
    },
    {
      variable: 'DEMO_IMAGE',
      files: { '/usr/local/bin/node': process.execPath, ...withLibraries(process.execPath), ...shell },
      busybox: ['sh', 'test'],
      changes: ['ENV PATH=/usr/local/bin:/bin', 'CMD ["node"]'],
    },
  ];
}

/** @returns the image that docker-compose.yml takes when a variable is not set */
export function defaultImage(variable: string): string {
  const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
  const compose = parse(text, { merge: true }) as {
    readonly services: Readonly<Record<string, { readonly image: string }>>;
  };
  const start = `\${${variable}:-`;
  const image = Object.values(compose.services).find((service) => service.image.startsWith(start))?.image;
  if (image === undefined) throw new Error(`Expected a service with the image ${start}...}, found none.`);
  return image.slice(start.length, -1);
}

async function build(world: string, recipe: Recipe): Promise<void> {
  const root = join(world, 'images', recipe.variable);
  const place = (path: string): string => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    return join(root, path);
  };
  for (const [path, source] of Object.entries(recipe.files)) {
    copyFileSync(source, place(path), constants.COPYFILE_FICLONE);
    chmodSync(join(root, path), 0o755);
  }
  for (const [path, content] of Object.entries(recipe.scripts ?? {})) {
    writeFileSync(place(path), content, { mode: 0o755 });
  }
  for (const name of recipe.busybox ?? []) symlinkSync('/bin/busybox', place(`/bin/${name}`));
  // As in every image; a container's own temporary file system takes its mode from here.
  mkdirSync(join(root, 'tmp'), { recursive: true });
  chmodSync(join(root, 'tmp'), 0o1777);
  const archive = `${root}.tar`;
  const packed = spawnSync('tar', ['--owner=0', '--group=0', '-C', root, '-cf', archive, '.'], {
    encoding: 'utf8',
  });
  if (packed.status !== 0) throw new Error(`${recipe.variable}: ${packed.stderr}`);
  const changes = recipe.changes.flatMap((change) => ['--change', change]);
  const answer = await docker(world, 'import', ...changes, archive, defaultImage(recipe.variable));
  if (answer.code !== 0) throw new Error(`${recipe.variable}: ${answer.text}`);
  rmSync(root, { recursive: true });
  rmSync(archive);
}

/** Makes one image, that of a variable of docker-compose.yml. */
export async function buildImage(world: string, variable: string): Promise<void> {
  const recipe = recipes().find((each) => each.variable === variable);
  if (recipe === undefined) throw new Error(`Expected a recipe for ${variable}, found none.`);
  await build(world, recipe);
}

/**
 * Makes an image for every one that docker-compose.yml names, under exactly that name, around the real programs. Only Grafana's is a
 * stand-in: it checks what the file gives it and answers the health check.
 */
export async function buildImages(world: string): Promise<void> {
  for (const recipe of recipes()) await build(world, recipe);
}
