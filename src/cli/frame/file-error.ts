import { systemCode } from '../../storage/index.ts';

/** What the system refused, as Node tells it: a file of the user's, no defect of ours. */
export interface FileError extends Error {
  readonly code: string;
  readonly path: string;
}

/** Whether an error is the system's about a path. */
export function isFileError(error: unknown): error is FileError {
  return error instanceof Error && 'syscall' in error && 'path' in error && typeof error.path === 'string';
}

/**
 * What to do about a file or folder that cannot be read.
 * @param otherwise the remedy where it is not about permissions
 */
export function fileHint(error: unknown, otherwise: string): string {
  const isForbidden = ['EACCES', 'EPERM'].includes(systemCode(error));
  return isForbidden
    ? 'Run it as the user that owns it: what is kept there is closed to all others.'
    : otherwise;
}
