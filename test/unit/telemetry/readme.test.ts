import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { TELEMETRY_METRICS } from '../../../src/signals/semconv.ts';
import { DROP_REASONS, ENVIRONMENT, HOST_METRICS, telemetryDefaults } from '../../../src/telemetry/index.ts';

const README = 'src/telemetry/README.md';

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

/** `UPDATE_README=1 npx vitest run test/unit/telemetry/readme.test.ts` writes the tables. */
function update(text: string): string {
  return text
    .replace(
      /(<!-- environment -->\n)[^]*?(<!-- \/environment -->)/,
      (_, open: string, close: string) => `${open}${environmentTable(ENVIRONMENT)}${close}`,
    )
    .replace(
      /(<!-- metrics -->\n)[^]*?(<!-- \/metrics -->)/,
      (_, open: string, close: string) => `${open}${metricTable()}${close}`,
    );
}

if (process.env['UPDATE_README'] !== undefined) writeFileSync(README, update(readFileSync(README, 'utf8')));

describe("telemetry's README", () => {
  const readme = readFileSync(README, 'utf8');

  test('has the table of variables that the code has', () => {
    expect(between(readme, 'environment')).toBe(environmentTable(ENVIRONMENT));
  });

  test('has the metrics that the code has', () => {
    expect(between(readme, 'metrics')).toBe(metricTable());
  });

  test('would show a variable that is missing or answered differently', () => {
    expect(between(readme, 'environment')).not.toBe(environmentTable(ENVIRONMENT.slice(1)));
    const planted = ENVIRONMENT.map((row, index) =>
      index === 0 ? { ...row, answer: 'refused' as const } : row,
    );
    expect(between(readme, 'environment')).not.toBe(environmentTable(planted));
  });

  test('names every reason for a loss, and the defaults', () => {
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
