// Prepares the root directory of the pools, once for the test run.
import { tmpdir } from 'node:os';
import { prepareRoot } from '../../test-fixtures/src/pool/root-directory.ts';

export default function poolRoot(): void {
  prepareRoot(process.cwd(), tmpdir());
}
