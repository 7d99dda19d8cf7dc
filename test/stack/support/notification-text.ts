import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, tool } from './run.ts';

/**
 * What a shipped template of Alertmanager writes.
 * @param notification what Alertmanager hands to templates
 * @param folder takes the file that amtool reads
 */
export function notificationText(
  name: string,
  notification: object,
  folder: string,
  type: 'text' | 'html' = 'text',
): Answer {
  const data = join(folder, 'notification.json');
  writeFileSync(data, JSON.stringify(notification));
  return tool(
    'amtool',
    'template',
    'render',
    '--template.glob=dashboards/alertmanager/templates/*.tmpl',
    `--template.text={{ template "${name}" . }}`,
    `--template.type=${type}`,
    `--template.data=${data}`,
  );
}
