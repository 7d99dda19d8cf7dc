import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { outputs, SHIPPED, staleOutputs } from './outputs.ts';
import { readSettings } from './settings/settings.ts';

const HELP = `Checks dashboards/settings.yaml and writes dashboards and rules from it into dashboards/.

Usage: npm run dashboards -- [--check] [--settings FILE --out FOLDER]

  --check           write nothing; fail if a file differs from what would be written
  --settings FILE   settings of your own, over the shipped ones; only what differs has to be in it
  --out FOLDER      where to write instead of dashboards/; needed with --settings

Exit codes: 0 done, 1 a file differs or the settings are wrong, 2 wrong use.
`;

function use(): { readonly check: boolean; readonly settings?: string; readonly out: string } | 'help' {
  const { values } = parseArgs({
    options: {
      check: { type: 'boolean', default: false },
      settings: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.settings !== undefined && values.out === undefined) {
    throw new Error('Expected --out FOLDER together with --settings: the shipped files stay as they are.');
  }
  const out = values.out === undefined ? SHIPPED : resolve(values.out);
  return { check: values.check, out, ...(values.settings !== undefined && { settings: values.settings }) };
}

function build({ check, settings, out }: Exclude<ReturnType<typeof use>, 'help'>): number {
  const files = outputs(readSettings(settings), out);
  if (check) {
    const stale = staleOutputs(files);
    for (const path of stale) {
      console.error(
        `${relative(process.cwd(), path)} differs from its source. Run \`npm run dashboards\` and commit.`,
      );
    }
    return stale.length === 0 ? 0 : 1;
  }
  for (const { path, content } of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    console.log(`${relative(process.cwd(), path)} ${content.length} bytes`);
  }
  return 0;
}

function main(): number {
  let wanted: ReturnType<typeof use>;
  try {
    wanted = use();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return 2;
  }
  if (wanted === 'help') {
    console.log(HELP);
    return 0;
  }
  try {
    return build(wanted);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

process.exitCode = main();
