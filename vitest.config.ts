import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { ClosingLineReporter } from './test/support/closing-line-reporter.ts';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/compose/**', 'test/next/**', 'test/stack/**', 'test/servers/**', 'node_modules/**'],
    reporters: ['default', new ClosingLineReporter()],
    typecheck: { enabled: true, include: ['test/types/**/*.test-d.ts'], tsconfig: './tsconfig.json' },
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});

export default config;
