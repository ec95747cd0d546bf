// Checks whether the portal can work now; `/readyz` returns the result.
import { accessSync, constants, statSync } from 'node:fs';
import { isCoded, systemCode } from '@credmon/core/base';
import { checkCredentialDirectory } from '@credmon/core/store';
import type { Stores } from '../session-store/file-stores.ts';
import type { Settings } from '../settings/settings.ts';

/**
 * Returns the reasons why the portal cannot work; empty when it is ready. Reasons contain
 * no path, because `/readyz` is public.
 */
export async function whyNotReady(
  { credentialDirectory, condorIds: condor }: Settings,
  stores: Pick<Stores, 'check'>,
  sources: readonly string[],
): Promise<readonly string[]> {
  const reasons = [
    await reason('sessions cannot be written', () => stores.check()),
    await reason('the credential directory cannot be used', () => {
      // A directory that was removed has a code of its own.
      statSync(credentialDirectory);
      checkCredentialDirectory(credentialDirectory, { create: false, condor });
    }),
    await reason('the configuration cannot be read', () => {
      for (const path of sources) accessSync(path, constants.R_OK);
    }),
  ];
  return reasons.filter((text) => text !== undefined);
}

async function reason(what: string, look: () => unknown): Promise<string | undefined> {
  try {
    await look();
    return undefined;
  } catch (error) {
    return `${what} (${systemCode(error) ?? (isCoded(error) ? error.code : 'unknown')})`;
  }
}
