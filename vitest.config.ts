// `fast` mirrors the packages and stays under a minute; `alone` are those of its files
// that replace modules; `slow` drives real servers; `pool` drives a real HTCondor pool; `packages`
// installs what is published.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { PATIENCE } from './test-fixtures/src/clocks/patience.ts';

const source = { conditions: ['@credmon/source'] };
const shared = {
  environment: 'node' as const,
  exclude: ['**/dist/**', '**/node_modules/**'],
  setupFiles: ['./tests/support/end-children.ts'],
  // A wait of its own ends before the time-out of its test, whose message would say less.
  testTimeout: 1500 * PATIENCE,
  hookTimeout: 1500 * PATIENCE,
  expect: { poll: { timeout: 1000 * PATIENCE } },
};

const FAST = ['packages/*/test/**/*.test.ts', 'tests/fast/**/*.test.ts'];

/**
 * Test files that replace modules: what they replace would stay replaced for the next
 * file of a shared process.
 */
const replacing = readdirSync('packages', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts') && !name.includes('node_modules'))
  .map((name) => join('packages', name))
  .filter((path) => /\bvi\.(?:mock|doMock|stubGlobal|stubEnv)\(/.test(readFileSync(path, 'utf8')));

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    teardownTimeout: 1000 * PATIENCE,
    globalSetup: ['./tests/support/test-run.ts'],
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
          exclude: [...shared.exclude, ...replacing],
          name: 'fast',
          include: FAST,
          // To load the packages anew for every file takes as long as the tests.
          isolate: false,
        },
      },
      { extends: true, test: { ...shared, name: 'alone', include: replacing } },
      {
        extends: true,
        test: {
          ...shared,
          name: 'slow',
          include: ['tests/slow/**/*.test.ts'],
          // These wait for several conditions, one after the other.
          testTimeout: 5000 * PATIENCE,
          hookTimeout: 5000 * PATIENCE,
          maxWorkers: 2,
          // After the fast ones, so that their clocks do not compete with browsers for
          // two processors.
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          ...shared,
          name: 'pool',
          include: ['tests/pool/**/*.test.ts'],
          globalSetup: ['./tests/support/pool-root.ts'],
          testTimeout: 5000 * PATIENCE,
          hookTimeout: 5000 * PATIENCE,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          ...shared,
          name: 'packages',
          include: ['tests/packages/**/*.test.ts'],
          testTimeout: 5000 * PATIENCE,
          hookTimeout: 5000 * PATIENCE,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
