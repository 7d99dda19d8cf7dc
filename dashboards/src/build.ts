import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { outputs, staleOutputs } from './outputs.ts';

const HELP = `Writes the generated dashboards and rules into dashboards/.

Usage: npm run dashboards -- [--check]

  --check   write nothing; fail if a committed file differs from what would be written
`;

const { values } = parseArgs({
  options: { check: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
if (values.help) {
  console.log(HELP);
} else if (values.check) {
  const stale = staleOutputs();
  for (const path of stale) {
    console.error(
      `${relative(process.cwd(), path)} differs from its source. Run \`npm run dashboards\` and commit.`,
    );
  }
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const output of outputs()) {
    mkdirSync(dirname(output.path), { recursive: true });
    writeFileSync(output.path, output.content);
    console.log(`${relative(process.cwd(), output.path)} ${output.content.length} bytes`);
  }
}
