import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The file that holds the password of Grafana's administrator; the stack makes it at its first start. */
export const GRAFANA_PASSWORD = 'grafana_admin_password';

/** @returns the names of the files that Alertmanager's configuration reads its secrets from */
export function secretsNamedIn(configuration: string): readonly string[] {
  const active = configuration.replaceAll(/#.*$/gm, '');
  const names = [...active.matchAll(/\/run\/secrets\/([\w-]+)/g)].map(([, name]) => name ?? '');
  return [...new Set(names)].toSorted();
}

/**
 * @param folder the working copy of the stack's files
 * @param secrets the folder of secrets
 * @returns the secrets that are needed, and missing or empty
 */
export function missingSecrets(folder: string, secrets: string): readonly string[] {
  const path = join(folder, 'dashboards', 'alertmanager', 'alertmanager.yml');
  return secretsNamedIn(readFileSync(path, 'utf8')).filter((name) => {
    const file = join(secrets, name);
    return !existsSync(file) || statSync(file).size === 0;
  });
}
