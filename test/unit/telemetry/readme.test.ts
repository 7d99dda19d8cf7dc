import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { TELEMETRY_METRICS } from '../../../src/signals/semconv.ts';
import { DROP_REASONS, ENVIRONMENT, HOST_METRICS, telemetryDefaults } from '../../../src/telemetry/index.ts';

const README = 'src/telemetry/README.md';
/** The pages with a table that the code has too, by the name of its marks. */
const PAGES = {
  environment: 'src/telemetry/environment.md',
  metrics: 'src/telemetry/metrics.md',
} as const;

/** The table between the two marks of a name. */
function between(text: string, name: string): string {
  return new RegExp(`<!-- ${name} -->\\n([^]*?)<!-- /${name} -->`).exec(text)?.[1] ?? '';
}

const environmentTable = (rows: typeof ENVIRONMENT): string =>
  [
    '| variable | answer | effect |',
    '|---|---|---|',
    ...rows.map(({ name, answer, effect }) => `| \`${name}\` | ${answer} | ${effect} |`),
    '',
  ].join('\n');

const metricTable = (): string =>
  [
    '| metric | instrument | unit | attributes |',
    '|---|---|---|---|',
    ...[...TELEMETRY_METRICS, ...HOST_METRICS].map(
      ({ name, instrument, unit, attributes }) =>
        `| \`${name}\` | ${instrument} | \`${unit}\` | ${attributes.map((attribute) => `\`${attribute}\``).join(', ')} |`,
    ),
    '',
  ].join('\n');

const TABLES: Readonly<Record<keyof typeof PAGES, string>> = {
  environment: environmentTable(ENVIRONMENT),
  metrics: metricTable(),
};

/** `UPDATE_README=1 npx vitest run test/unit/telemetry/readme.test.ts` writes the tables. */
function update(page: string, name: keyof typeof PAGES): string {
  return page.replace(
    new RegExp(`(<!-- ${name} -->\\n)[^]*?(<!-- /${name} -->)`),
    (_, open: string, close: string) => `${open}${TABLES[name]}${close}`,
  );
}

if (process.env['UPDATE_README'] !== undefined) {
  for (const name of ['environment', 'metrics'] as const) {
    writeFileSync(PAGES[name], update(readFileSync(PAGES[name], 'utf8'), name));
  }
}

describe("telemetry's pages", () => {
  const readme = readFileSync(README, 'utf8');
  const environment = readFileSync(PAGES.environment, 'utf8');

  test('have the table of variables that the code has', () => {
    expect(between(environment, 'environment')).toBe(TABLES.environment);
  });

  test('have the metrics that the code has', () => {
    expect(between(readFileSync(PAGES.metrics, 'utf8'), 'metrics')).toBe(TABLES.metrics);
  });

  test('have their tables once, each on its own page', () => {
    expect(readme).not.toContain('| `OTEL_SDK_DISABLED` |');
    expect(readme).not.toContain('| `keelson.telemetry.exported` |');
  });

  test('would show a variable that is missing or answered differently', () => {
    expect(between(environment, 'environment')).not.toBe(environmentTable(ENVIRONMENT.slice(1)));
    const planted = ENVIRONMENT.map((row, index) =>
      index === 0 ? { ...row, answer: 'refused' as const } : row,
    );
    expect(between(environment, 'environment')).not.toBe(environmentTable(planted));
  });

  test('name every reason for a loss, and the defaults', () => {
    for (const reason of DROP_REASONS) expect(readme).toContain(`\`${reason}\``);
    expect(readme).toContain(
      `| \`hostInterval\` or \`false\` | ${telemetryDefaults.hostInterval / 1_000} s |`,
    );
    expect(readme).toContain(`end within ${telemetryDefaults.deadline / 1_000} s`);
    expect(readme).toContain(
      `| '${telemetryDefaults.logger.level}'`.replace("| '", "| `'").replace(/'$/, "'`"),
    );
  });
});
