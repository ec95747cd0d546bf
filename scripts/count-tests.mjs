// Turns vitest's JSON report into the closing line of .ci/run; a file that could not be
// loaded counts as a failure.
import { existsSync, readFileSync } from 'node:fs';

const [path, status] = process.argv.slice(2);
if (!existsSync(path)) {
  console.error('the test run left no report');
  console.log('tests: 0 passed, 1 failed, 0 skipped');
  process.exit(1);
}
const report = JSON.parse(readFileSync(path, 'utf8'));
const brokenFiles = report.testResults.filter(
  (file) =>
    file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
);
for (const file of brokenFiles) console.error(`failed to load: ${file.name}: ${file.message}`);
const failed = report.numFailedTests + brokenFiles.length;
const skipped = report.numPendingTests + report.numTodoTests;
console.log(`tests: ${report.numPassedTests} passed, ${failed} failed, ${skipped} skipped`);
// A status without a failed test is an unhandled error: the run cannot be trusted.
process.exit(failed > 0 || report.numPassedTests === 0 || !report.success ? 1 : Number(status));
