// Two projects: `fast` mirrors the packages and stays under a minute; `slow` drives real servers, browsers and kills.
import { defineConfig } from 'vitest/config';

const source = { conditions: ['@credmon/source'] };
const shared = { environment: 'node' as const, exclude: ['**/dist/**', '**/node_modules/**'] };

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    globalSetup: ['./tests/support/temporary-directory.ts'],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      reporter: ['text-summary', 'html'],
    },
    projects: [
      {
        extends: true,
        test: {
          ...shared,
          name: 'fast',
          include: ['packages/*/test/**/*.test.ts', 'tests/fast/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          ...shared,
          name: 'slow',
          include: ['tests/slow/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          // After the fast ones, so that their clocks do not compete with browsers for two processors.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
