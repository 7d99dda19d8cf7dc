import { KeelsonError } from '../../../core/errors.ts';

/** @returns the error for an optional package that is not there */
export function peerMissing(name: string, instead: string, cause: unknown): KeelsonError {
  return new KeelsonError('ERR_KEELSON_PEER_MISSING', `The package \`${name}\` cannot be loaded.`, {
    cause,
    hint: `Install it beside keelson: \`npm install ${name}\`. Or pass what you have: \`${instead}\`.`,
  });
}
