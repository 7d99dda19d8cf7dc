import { errorReason } from '../../core/error-line.ts';
import { reportVersions } from './installed-versions.ts';

/**
 * The one warning of a `keelson/register` that could not start. Loaded only then.
 * @param step what failed, as in "cannot <step>"
 * @param error what was thrown: anything
 * @returns a line with its line break
 */
export function failureLine(step: string, error: unknown): string {
  const { found, remedy } = reportVersions();
  return `keelson: keelson/register cannot ${step} (${errorReason(error)}); found: ${found}. The application runs without Keelson's telemetry. ${remedy}\n`;
}
