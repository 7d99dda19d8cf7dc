/** What `docker compose config --format json` makes of the compose file, as far as it is read here. */
export interface ResolvedCompose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly restart?: string;
        readonly profiles?: readonly string[];
        readonly ports?: readonly {
          readonly host_ip?: string;
          readonly published?: string;
          readonly target: number;
        }[];
      }
    >
  >;
}

/** @returns whether a service runs once and ends */
export function runsOnce(compose: ResolvedCompose, service: string): boolean {
  return compose.services[service]?.restart === 'no';
}

/** @returns the services that `up` starts when no profile is named */
export function expectedServices(compose: ResolvedCompose): readonly string[] {
  return Object.entries(compose.services)
    .filter(([, { profiles = [] }]) => profiles.length === 0)
    .map(([name]) => name);
}
