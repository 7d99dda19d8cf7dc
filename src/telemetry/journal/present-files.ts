import { systemCode } from '../../storage/index.ts';
import type { FilePort } from '../../storage/index.ts';

/**
 * Asks the file system about something that another process may remove at any moment.
 * @returns `undefined` if it is not, or no longer, there
 * @throws what `question` throws for any other reason
 */
export function orAbsent<T>(question: () => T): T | undefined {
  try {
    return question();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The names in a folder, sorted; none if there is no folder.
 * @throws what the file system throws for any other reason
 */
export function listed(files: FilePort, folder: string): readonly string[] {
  return orAbsent(() => [...files.list(folder)].sort()) ?? [];
}
