import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { ClosingLineReporter } from '../support/closing-line-reporter.ts';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/servers/**/*.test.ts'],
    reporters: ['default', new ClosingLineReporter()],
    // Real servers on two cores: one file at a time, and room to start.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

export default config;
