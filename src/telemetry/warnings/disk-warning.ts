import { KeelsonError } from '../../core/errors.ts';
import type { Warn } from './warner.ts';

/**
 * Warns, once for each code, that Keelson cannot write to the disk.
 * @param code the error code of the system or of Keelson, such as `ENOSPC`
 * @param error the error, if it is known
 */
export function warnAboutDisk(warn: Warn, code: string, error: unknown): void {
  const why = error instanceof KeelsonError ? `${error.message} ${error.hint ?? ''}`.trim() : `${code}.`;
  warn(
    `disk:${code}`,
    `Nothing can be written below KEELSON_HOME: ${why} Telemetry waits in memory meanwhile, up to 8 MiB for each signal; ` +
      'what does not fit is counted in keelson.telemetry.dropped (reason disk), and lines for the files of the logger in stats().logger.lost. The disk is tried again each second.',
  );
}
