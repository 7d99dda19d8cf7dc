import { guard, presets } from 'keelson';

export const payments = guard('es module', {
  ...presets.github,
  cache: undefined,
  retry: { retries: 1, delay: 1, retryIf: (error) => error.status !== 404 },
});
