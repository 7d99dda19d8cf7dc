import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { ClosingLineReporter } from '../support/closing-line-reporter.ts';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/stack/**/*.test.ts'],
    reporters: ['default', new ClosingLineReporter()],
    // Real processes on two cores: one file at a time, and room to start.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});

export default config;
