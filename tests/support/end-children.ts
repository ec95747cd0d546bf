// Ends what a test file has started and not ended, also when a wait or a hook of it has
// failed, or the whole run is killed.
import { endChildren } from '@credmon/test-fixtures/processes/processes';
import { afterAll } from 'vitest';

afterAll(async () => {
  await endChildren();
});

/**
 * The test runner is gone, so this worker is of no use to anyone; its children go with
 * it.
 */
function endWithRunner(): void {
  void endChildren().finally(() => process.exit(1));
}

// This file runs before every test file of a worker.
if (!process.listeners('disconnect').some(({ name }) => name === endWithRunner.name))
  process.once('disconnect', endWithRunner);
