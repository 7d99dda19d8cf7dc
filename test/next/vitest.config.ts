import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { ClosingLineReporter } from '../support/closing-line-reporter.ts';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/next/**/*.test.ts'],
    reporters: ['default', new ClosingLineReporter()],
    // An installation and two builds on two cores, in the order in which they stand.
    fileParallelism: false,
    testTimeout: 90_000,
    hookTimeout: 120_000,
  },
});

export default config;
