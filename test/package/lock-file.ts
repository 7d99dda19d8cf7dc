/** A package as `package-lock.json` has it. */
export interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly license?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

/** The packages of a lock file, by their folders. */
export type LockedPackages = Readonly<Record<string, LockedPackage>>;

/** An optional dependency that a lock file does not have. */
export interface MissingPackage {
  readonly name: string;
  readonly version: string;
  /** The folder of the package that asks for it. */
  readonly askedBy: string;
}

const PLATFORM =
  /(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|x64|ia32|ppc64|riscv64|s390x)(?:-(\w+))?$/;

function isLocked(packages: LockedPackages, from: string, name: string): boolean {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (Object.hasOwn(packages, `${folder === '' ? '' : `${folder}/`}node_modules/${name}`)) return true;
    if (folder === '') return false;
  }
}

/**
 * Optional dependencies that a lock file leaves out. npm leaves them out where its registry does not have them, as some do not have the
 * binaries of other platforms; `npm ci` then refuses the lock file.
 */
export function missingOptionals(packages: LockedPackages): readonly MissingPackage[] {
  return Object.entries(packages).flatMap(([askedBy, { optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !isLocked(packages, askedBy, name))
      .map(([name, version]) => ({ name, version, askedBy })),
  );
}

/**
 * A lock file's entry for a binary of another platform: all that npm needs in order to leave it out here.
 * @throws where the name does not tell the platform, or the version is a range
 */
export function platformEntry(
  { name, version, askedBy }: MissingPackage,
  packages: LockedPackages,
): LockedPackage {
  const [, os, cpu, abi = ''] = PLATFORM.exec(name) ?? [];
  if (os === undefined || cpu === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Error(`Cannot tell the platform of ${name}@${version}, which ${askedBy} asks for.`);
  }
  const libc = os === 'linux' ? { gnu: ['glibc'], musl: ['musl'] }[abi] : undefined;
  const { dev, license } = packages[askedBy] ?? {};
  return {
    version,
    cpu: [cpu],
    ...(dev === true ? { dev } : {}),
    ...(libc ? { libc } : {}),
    ...(license === undefined ? {} : { license }),
    optional: true,
    os: [os],
  };
}

/** The packages with an entry for each missing one, in npm's order. */
export function completed(packages: LockedPackages): LockedPackages {
  const added = missingOptionals(packages).map(
    (missing) => [`node_modules/${missing.name}`, platformEntry(missing, packages)] as const,
  );
  const entries: (readonly [string, LockedPackage])[] = [...Object.entries(packages), ...added];
  return Object.fromEntries(entries.toSorted(([a], [b]) => a.localeCompare(b, 'en')));
}
