// Modules that create guards are evaluated again: as an ES module, as CommonJS, and with a second copy of the package.
import { cpSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const warnings = [];
process.on('warning', ({ message }) => warnings.push(message));

/** Whether each evaluation has the same guard, and how many calls that has counted. */
async function outcome(evaluations) {
  for (const { payments } of evaluations) await payments.run('charge', () => 'paid');
  const [first, ...others] = evaluations;
  const isSame = others.every(({ payments }) => payments === first.payments);
  return { isSame, calls: first.payments.snapshot().calls.success };
}

const module = await outcome([await import('./payments.mjs?t=1'), await import('./payments.mjs?t=2')]);

const evaluated = [require('./payments.cjs')];
delete require.cache[require.resolve('./payments.cjs')];
evaluated.push(require('./payments.cjs'));
const commonjs = await outcome(evaluated);

cpSync('node_modules/keelson', 'copy', { recursive: true });
const copy = await import('./copy/dist/index.js');
const copies = [await import('keelson'), copy].map(({ guard, presets }) => ({
  payments: guard('two copies', {
    ...presets.github,
    cache: undefined,
    failedResult: (value) => value === 'no',
  }),
}));
const twoCopies = await outcome(copies);
copy.guard('two copies', { bulkhead: { concurrent: 1 } });
rmSync('copy', { recursive: true });

await new Promise(setImmediate);
console.log(JSON.stringify({ module, commonjs, twoCopies, warnings }));
