// Run as a program: imports one entry point and tells what that did to the process.
import { registerHooks } from 'node:module';

const [, , entry = 'keelson'] = process.argv;
const loaded: string[] = [];
registerHooks({
  resolve(specifier, context, next) {
    const result = next(specifier, context);
    loaded.push(result.url);
    return result;
  },
});

const listeners = (): number =>
  process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
/** What keeps the process busy, but for files of modules that are still being read. */
const resources = (): readonly string[] =>
  process.getActiveResourcesInfo().filter((kind) => !/^(?:FSReq|CloseReq)/.test(kind));
const globals = (): readonly string[] => Reflect.ownKeys(globalThis).map(String);
// Node opens the standard streams when somebody asks for them, which is no doing of the entry point.
process.stdout.cork();
process.stdout.uncork();
process.stderr.cork();
process.stderr.uncork();
const before = {
  globals: globals(),
  listeners: listeners(),
  resources: resources(),
};

await import(entry);

console.log(
  JSON.stringify({
    loaded,
    globals: globals().filter((name) => !before.globals.includes(name)),
    listeners: listeners() - before.listeners,
    resources: resources().slice(before.resources.length),
  }),
);
