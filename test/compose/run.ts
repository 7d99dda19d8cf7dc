// `npm run test:compose`: the shipped docker-compose.yml in a Docker daemon of its own, inside namespaces of its own. Arguments go to vitest.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from '../stack/support/documents.ts';
import { missingRequirements } from './support/requirements.ts';
import { sweepWorlds } from './support/world.ts';

const problems = missingRequirements({
  platform: process.platform,
  uid: process.getuid?.(),
  env: process.env,
});
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
for (const folder of await sweepWorlds()) console.log(`Removed what a killed run left: ${folder}`);

const vitest = [join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--config'];
const config = join(import.meta.dirname, 'vitest.config.ts');
const keeper = spawn(
  process.execPath,
  [
    join(import.meta.dirname, 'support', 'keeper.ts'),
    process.execPath,
    ...vitest,
    config,
    ...process.argv.slice(2),
  ],
  { cwd: ROOT, stdio: ['pipe', 'inherit', 'inherit'] },
);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => keeper.stdin.end());
const [code] = (await once(keeper, 'exit')) as [number | null];
process.exitCode = code ?? 1;
