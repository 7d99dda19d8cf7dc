/** A service of a compose file, as far as the rules look into it. */
export interface ComposeService {
  readonly image?: string;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly privileged?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly network_mode?: string;
  readonly restart?: string;
  readonly profiles?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly (
    | string
    | {
        readonly type: string;
        readonly source: string;
        readonly target: string;
        readonly read_only?: boolean;
      }
  )[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
}

/** A compose file. */
export interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

type Rule = (
  service: ComposeService,
  name: string,
  compose: Compose,
  exists: (path: string) => boolean,
) => boolean;

const LOOPBACK_PORT = /^\$\{BIND_ADDR:-127\.0\.0\.1\}:\$\{[A-Z_]+:-\d+\}:\d+$/;
const PINNED_IMAGE = /^\$\{[A-Z_]+_IMAGE:-[a-z0-9./-]+:v?\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?\}$/;

/** Programs that do not read the limit of their container themselves, by the variable of their image. */
const UNAWARE_OF_LIMIT = /^\$\{(COLLECTOR|JAEGER)_IMAGE:/;

/** @returns MiB of `512m` or `400MiB` */
const mebibytes = (size: string | undefined): number => Number(/^(\d+)(m|MiB)$/.exec(size ?? '')?.[1]);

const runsOnce = (service: ComposeService): boolean => service.restart === 'no';

/** Host side of the bind mounts. */
function bindSources(service: ComposeService): readonly string[] {
  return (service.volumes ?? []).flatMap((volume) => {
    const source = typeof volume === 'string' ? (volume.split(':')[0] ?? '') : volume.source;
    const bind = typeof volume === 'string' ? /^[./~]/.test(source) : volume.type === 'bind';
    return bind ? [source] : [];
  });
}

function namedVolumes(service: ComposeService | undefined): readonly string[] {
  return (service?.volumes ?? []).flatMap((volume) =>
    typeof volume !== 'string' && volume.type === 'volume' && volume.read_only !== true
      ? [volume.source]
      : [],
  );
}

/** Whether a service waits for another, directly or through those that it waits for. */
function waitsFor(compose: Compose, name: string, other: string): boolean {
  return Object.keys(compose.services[name]?.depends_on ?? {}).some(
    (each) => each === other || waitsFor(compose, each, other),
  );
}

/** Both run before everything else: as root, once, without a network. */
const INIT = ['secrets-init', 'volumes-init'];

/** What each service has to keep; a rule answers whether it does. */
export const COMPOSE_RULES: Readonly<Record<string, Rule>> = {
  'image is a variable with a pinned default': ({ image = '' }) => PINNED_IMAGE.test(image),
  'ports are on loopback': ({ ports = [] }) => ports.every((port) => LOOPBACK_PORT.test(port)),
  'memory is limited': ({ mem_limit }) => /^\d+[mg]$/.test(mem_limit ?? ''),
  'Go is told of the limit, with room above': ({ image = '', environment = {}, mem_limit }) => {
    const told = environment['GOMEMLIMIT'];
    if (told === undefined) return !UNAWARE_OF_LIMIT.test(image);
    return mebibytes(told) <= 0.9 * mebibytes(mem_limit);
  },
  'file system is read only': ({ read_only }) => read_only === true,
  'capabilities are dropped': ({ cap_drop, cap_add = [], network_mode }) =>
    cap_drop?.join() === 'ALL' && (cap_add.length === 0 || network_mode === 'none'),
  'no new privileges': ({ security_opt = [], privileged = false }) =>
    security_opt.includes('no-new-privileges:true') && !privileged,
  'root only without a network': ({ user = '', network_mode }) =>
    /^[1-9]\d*:\d+$/.test(user) || network_mode === 'none',
  'health check without a shell': (service) =>
    runsOnce(service) ||
    (service.healthcheck?.test[0] === 'CMD' && !service.healthcheck.test.includes('curl')),
  'nobody is let in without a password': ({ environment = {} }) =>
    Object.entries(environment).every(
      ([key, value]) =>
        !(key === 'GF_AUTH_ANONYMOUS_ENABLED' && value !== 'false') &&
        !/^GF_SECURITY_ADMIN_PASSWORD$/.test(key) &&
        key !== 'GF_AUTH_DISABLE_LOGIN_FORM',
    ),
  'bind mounts exist and are read only': (service, name, _compose, exists) =>
    bindSources(service)
      .filter((source) => !source.startsWith('${'))
      .every(exists) &&
    (service.volumes ?? []).every((volume) =>
      typeof volume === 'string'
        ? volume.endsWith(':ro')
        : volume.type === 'volume' || volume.read_only === true || INIT.includes(name),
    ),
  'named volumes are declared and given to the user': (service, name, compose) => {
    const prepared = INIT.flatMap((each) => namedVolumes(compose.services[each]));
    return namedVolumes(service).every(
      (volume) => volume in compose.volumes && (INIT.includes(name) || prepared.includes(volume)),
    );
  },
  'whether its volumes can be written is watched': (service, name, compose) =>
    // Grafana and the demo say themselves that they cannot write, and run as other users or once.
    [...INIT, 'grafana', 'demo'].includes(name) ||
    namedVolumes(service).every((volume) => namedVolumes(compose.services['volumes-watch']).includes(volume)),
  'nothing starts before secrets and volumes are there': (_service, name, compose) =>
    INIT.every((each) => INIT.includes(name) || waitsFor(compose, name, each)),
};

/** @returns every service with the rules that it breaks */
export function composeProblems(compose: Compose, exists: (path: string) => boolean): readonly string[] {
  return Object.entries(compose.services).flatMap(([name, service]) =>
    Object.entries(COMPOSE_RULES)
      .filter(([, keeps]) => !keeps(service, name, compose, exists))
      .map(([rule]) => `${name}: ${rule}`),
  );
}
