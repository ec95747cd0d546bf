// What can be checked of a configuration without listening.
import { checkCredentialDirectory } from '@credmon/core';
import { trustFunction } from './listen.ts';
import { prepareSessionDirectory } from './session-store/session-directory.ts';
import type { Settings } from './settings/settings.ts';

/**
 * Checks proxies and directories.
 * @throws CodedError `CONFIG_INVALID`, `CRED_DIR_INVALID`
 */
export function checkWorld(settings: Settings): void {
  trustFunction(settings.trustedProxies, settings.listen);
  checkCredentialDirectory(settings.credentialDirectory, { create: false });
  prepareSessionDirectory(settings.sessionDirectory);
}
