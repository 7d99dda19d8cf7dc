import { readFileSync } from 'node:fs';

const LISTEN = '0A';

/** A socket that waits for connections. */
export interface Listener {
  readonly address: string;
  readonly port: number;
}

/** @returns an address as the kernel writes it: words of four bytes, lowest byte first */
function readAddress(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).toReversed());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  const text = bytes.join('').toLowerCase();
  return text === '0'.repeat(31) + '1' ? '::1' : text === '0'.repeat(32) ? '::' : text;
}

/** @returns every listening TCP socket of a network namespace, from the text of /proc/net/tcp or tcp6 */
export function readListeners(table: string): readonly Listener[] {
  return table
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === LISTEN)
    .map(([, local = '']) => {
      const [address = '', port = ''] = local.split(':');
      return { address: readAddress(address), port: Number.parseInt(port, 16) };
    });
}

/** @returns every listening TCP socket of this process's network namespace */
export function listeners(): readonly Listener[] {
  return ['tcp', 'tcp6'].flatMap((table) => readListeners(readFileSync(`/proc/net/${table}`, 'utf8')));
}
