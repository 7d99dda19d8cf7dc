import { guard } from 'keelson';

export const payments = guard('es module', {
  preset: 'github',
  cache: false,
  retry: { retries: 1, delay: 1, retryIf: (error) => error.status !== 404 },
});
