// Ends what a test file has started and not ended, also when a wait or a hook of it has failed.
import { endChildren } from '@credmon/test-fixtures/processes';
import { afterAll } from 'vitest';

afterAll(async () => {
  await endChildren();
});
