const { guard, presets } = require('keelson');

exports.payments = guard('commonjs', {
  ...presets.github,
  cache: undefined,
  retry: { retries: 1, delay: 1, retryIf: (error) => error.status !== 404 },
});
