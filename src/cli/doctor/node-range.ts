const PART = /^(\^|>=)(\d+)\.(\d+)\.(\d+)$/;

/**
 * Whether a version of Node is in a range such as `^22.23.0 || >=24.15.0`.
 * @throws {Error} for a range of another form: `^a.b.c` and `>=a.b.c` joined by `||`
 */
export function satisfies(version: string, range: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.-]/).map(Number);
  return range.split('||').some((part) => {
    const [, operator, wantedMajor, wantedMinor, wantedPatch] = PART.exec(part.trim()) ?? [];
    if (operator === undefined)
      throw new Error(`Expected a range such as ^22.23.0 || >=24.15.0, got ${range}.`);
    const wanted = Number(wantedMajor);
    if (major !== wanted) return operator === '>=' && major > wanted;
    return minor > Number(wantedMinor) || (minor === Number(wantedMinor) && patch >= Number(wantedPatch));
  });
}
