// Common to commands that read tokens: the settings, the directory as the daemon sees it,
// and each token's owner.
import {
  checkCredentialDirectory,
  openCredentialDirectory,
  type CredentialStore,
} from '@credmon/core/store';
import { judge, type ManagedToken } from '@credmon/core/renewal';
import { systemRandom } from '@credmon/core/base';
import type { Instant, TokenSnapshot } from '@credmon/core/credential';
import { localFiles } from '../host/local-files.ts';
import { ownerOfToken, providerLookupOf } from '../daemon/provider-lookup.ts';
import { EMPTY_STORE } from '../providers/standing/login-store.ts';
import { withStanding } from '../providers/standing/store.ts';
import { secretVersion } from '../host/secret-file.ts';
import type { Settings } from '../settings/read.ts';
import type { StandingToken } from '../settings/standing.ts';
import { standingFiles, openStandingLogins } from '../host/standing-files.ts';
import { statusRow, type StatusRow } from '../status/rows.ts';

/**
 * Returns the existing credential directory, its path without links.
 * @throws CodedError `CRED_DIR_INVALID`
 */
export function existingDirectory({ credDir, condorIds }: Settings): string {
  return checkCredentialDirectory(credDir, { create: false, condor: condorIds });
}

/**
 * Opens the credential directory with the standing tokens.
 * @throws CodedError `CRED_DIR_INVALID`
 */
export function openStore(settings: Settings): CredentialStore {
  const directory = existingDirectory(settings);
  const { defaultLifetime } = settings.policy;
  return withStanding(
    openCredentialDirectory(directory, { defaultLifetime }),
    () => settings.standing,
    standingFiles(directory),
    openStandingLogins(directory),
  );
}

/**
 * Opens only these standing tokens, without those of users. `directory` is the credential
 * directory.
 */
export function openStandingTokens(
  directory: string,
  tokens: readonly StandingToken[],
): CredentialStore {
  const logins = openStandingLogins(directory);
  return withStanding(EMPTY_STORE, () => tokens, standingFiles(directory), logins);
}

/** A token's row, and the token as its provider sees it, if it has one. */
export interface EvaluatedToken {
  readonly row: StatusRow;
  readonly managed: ManagedToken | undefined;
}

/** Evaluates tokens at `now`, sorted by user, service and handle. */
export function evaluateTokens(
  tokens: readonly TokenSnapshot[],
  settings: Settings,
  now: Instant,
): readonly EvaluatedToken[] {
  if (tokens.length === 0) return [];
  const local = localFiles(() => undefined);
  const lookup = providerLookupOf(settings, {
    secretVersion,
    random: systemRandom,
    local,
  });
  return tokens
    .map((token) => {
      const managed = lookup.manage(token)?.managed;
      if (managed) return { managed, row: statusRow(managed.snapshot, judge(managed, now), now) };
      const owner = ownerOfToken(token, settings);
      const why = owner.kind === 'nobody' ? owner.why : undefined;
      return { managed, row: statusRow(token, undefined, now, why) };
    })
    .sort((a, b) => (sortKey(a.row) < sortKey(b.row) ? -1 : 1));
}

function sortKey({ user, service, handle }: StatusRow): string {
  return `${user} ${service} ${handle}`;
}
