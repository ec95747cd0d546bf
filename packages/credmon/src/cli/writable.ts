// Whether this process may put files into a directory, asked without trying.
import { accessSync, constants } from 'node:fs';
import { systemCode } from '@credmon/core';

/** True when this process may put files into a directory. */
export function writable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}
