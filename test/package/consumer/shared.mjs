import { createRequire } from 'node:module';
import { guard } from 'keelson';

const copy = createRequire(import.meta.url)('keelson');
console.log(guard('payments', { retry: {} }) === copy.guard('payments'));
