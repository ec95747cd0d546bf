// Runs the bundled demo in this process, so that Ctrl-C reaches it and its exit code is
// ours.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const bundle = new URL('../test-fixtures/dist/demo.js', import.meta.url);
if (existsSync(fileURLToPath(bundle))) await import(bundle.href);
else {
  console.error('demo: test-fixtures/dist/demo.js is not built; run: npm run demo');
  process.exitCode = 1;
}
