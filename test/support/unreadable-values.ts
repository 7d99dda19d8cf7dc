/** Values that some library hands over one day, and that throw when they are read, turned into a text or written as JSON; by what is odd about them. */
export function unreadableValues(): readonly (readonly [string, unknown])[] {
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  circle['again'] = [circle, circle];
  const fails = (): never => {
    throw new Error('it throws');
  };
  return [
    ['nothing', undefined],
    ['null', null],
    ['a symbol', Symbol('s')],
    ['a bigint', 10n],
    ['an object without a prototype', Object.create(null)],
    ['an object whose toString throws', { toString: fails }],
    ['an object whose toJSON throws', { toJSON: fails }],
    ['an object with a getter that throws', Object.defineProperty({}, 'a', { enumerable: true, get: fails })],
    ['a circle', circle],
    ['a revoked proxy', revoked.proxy],
    ['an error whose message throws', Object.defineProperty(new Error('x'), 'message', { get: fails })],
    ['an error whose name is a symbol', Object.assign(new Error('x'), { name: Symbol('n') })],
    ['an error whose stack throws', Object.defineProperty(new Error('x'), 'stack', { get: fails })],
  ];
}
