// Run as a program after `npm install`: node test/package/complete-lock-file.ts
import { readFileSync, writeFileSync } from 'node:fs';
import type { LockedPackages } from './lock-file.ts';
import { completed, missingOptionals } from './lock-file.ts';

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: LockedPackages };
const missing = missingOptionals(lock.packages);
writeFileSync(
  'package-lock.json',
  `${JSON.stringify({ ...lock, packages: completed(lock.packages) }, undefined, 2)}\n`,
);
console.log(`${missing.length} packages of other platforms added to package-lock.json.`);
