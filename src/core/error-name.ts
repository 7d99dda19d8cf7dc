/** What the name of a class looks like; anything else could hold a secret, or break a line. */
const CLASS_NAME = /^[\w$.]{1,80}$/;

/**
 * What was thrown, for a message that must not show what it says: the `name` of an error, such as `TypeError`, and the type of every other value.
 * Never throws, whatever it is given: libraries throw objects without a prototype, proxies, and errors with getters that throw.
 */
export function errorName(thrown: unknown): string {
  try {
    const name: unknown = typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, 'name') : '';
    return typeof name === 'string' && CLASS_NAME.test(name) ? name : typeof thrown;
  } catch {
    return typeof thrown;
  }
}
