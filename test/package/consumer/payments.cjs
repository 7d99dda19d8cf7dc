const { guard } = require('keelson');

exports.payments = guard('commonjs', {
  preset: 'github',
  cache: false,
  retry: { retries: 1, delay: 1, retryIf: (error) => error.status !== 404 },
});
