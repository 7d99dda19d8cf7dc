import { createServer } from 'node:net';
import { KeelsonError } from '../../core/errors.ts';
import { systemCode } from '../../storage/index.ts';
import type { ResolvedCompose } from './resolved-compose.ts';

/** A port that the stack opens on this machine. */
export interface PublishedPort {
  readonly service: string;
  readonly address: string;
  readonly port: number;
  /** The port inside of the container. */
  readonly target: number;
  /** The variable that moves it. */
  readonly variable: string;
}

const PORT_LINE = /\$\{(\w+_PORT):-\d+\}:(\d+)/g;

/**
 * @param source text of docker-compose.yml, which names the variables
 * @param services what compose made of it
 */
export function readPublishedPorts(
  source: string,
  services: ResolvedCompose['services'],
): readonly PublishedPort[] {
  const variables = new Map(
    [...source.matchAll(PORT_LINE)].map(([, variable, target]) => [Number(target), variable ?? '']),
  );
  return Object.entries(services).flatMap(([service, { ports = [] }]) =>
    ports.map(({ host_ip: address = '0.0.0.0', published, target }) => ({
      service,
      address,
      port: Number(published),
      target,
      variable: variables.get(target) ?? '',
    })),
  );
}

/** @returns the published port of a port inside of a container; throws where the compose file has none */
export function portFor(ports: readonly PublishedPort[], target: number): PublishedPort {
  const found = ports.find((each) => each.target === target);
  if (found) return found;
  throw new KeelsonError(
    'ERR_KEELSON_STACK',
    `Expected docker-compose.yml to publish port ${target}, found it not.`,
    {
      hint: 'Take the change out of the copy in <home>/stack, or remove that folder: it is made anew.',
    },
  );
}

/** @returns a sentence for each port that somebody else has, with what to do */
export async function takenPorts(ports: readonly PublishedPort[]): Promise<readonly string[]> {
  const problems = await Promise.all(
    ports.map(async ({ service, address, port, variable }) => {
      const code = await listenOnce(address, port);
      if (code === undefined) return [];
      const what = code === 'EADDRINUSE' ? 'is taken' : `cannot be opened (${code})`;
      return [
        `Port ${port} of ${address}, for ${service}, ${what}. Stop what has it, or set ${variable} to another.`,
      ];
    }),
  );
  return problems.flat();
}

/** @returns why a port cannot be opened; undefined where it can */
function listenOnce(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(systemCode(error)));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
