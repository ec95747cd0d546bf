// Removes the files of a token in an order that is safe after a crash and with a running
// daemon.
import { isCoded, type Clock } from '@credmon/core/base';
import { tokenFileName, type TokenFileKind } from '@credmon/core/credential';
import type { CredentialStore, TokenFiles, TokenWrite } from '@credmon/core/store';

/** The token to remove. */
export interface TokenName {
  readonly user: string;
  readonly stem: string;
}

/** The credential directory. */
export interface RevocationFiles {
  readonly store: Pick<CredentialStore, 'read' | 'apply'>;
  /** Returns the text of `.use`; `undefined` when it is missing or cannot be read. */
  readonly readUse: (token: TokenName) => string | undefined;
  /** Returns which files of the token exist. */
  readonly present: (token: TokenName) => readonly TokenFileKind[];
  /**
   * True while a living process has a temporary file of the token that it has not renamed
   * yet.
   */
  readonly beingWritten: (token: TokenName) => boolean;
}

/**
 * The removed file names, and the texts of all `.use` files found; `problem` names what
 * could not be removed.
 */
export interface Removed {
  readonly names: readonly string[];
  readonly uses: readonly string[];
  readonly problem?: string;
}

/**
 * `.top` is removed after `.use`. Before that, nothing is lost: a missing `.use` is
 * fetched again. After it, no renewal restores files, because a renewal writes only if
 * `.top` is unchanged.
 */
const FIRST = ['use', 'top'] as const satisfies readonly TokenFileKind[];
/** Files without meaning once `.top` is gone; with a new `.top` they belong to that. */
const LAST = ['use', 'meta', 'renewal'] as const satisfies readonly TokenFileKind[];

/** How long to wait for a process that is writing, and how often to check, in seconds. */
const WRITE_TIMEOUT = 5;
const CHECK_INTERVAL = 0.02;

const removals = (kinds: readonly TokenFileKind[]): TokenWrite[] =>
  kinds.map((kind) => ({ kind, text: undefined, durable: kind === 'top' }));

/**
 * Removes the token that `files` was read from.
 * @throws CodedError `CRED_SUPERSEDED` when `.top` has changed, `CRED_FILE_IO` on an I/O
 * error; `.top` then still exists
 */
export async function removeToken(
  token: TokenName,
  files: TokenFiles,
  context: RevocationFiles,
  clock: Clock,
): Promise<Removed> {
  const before = namesOf(token, context, FIRST);
  const use = context.readUse(token);
  context.store.apply({ ...token, from: files.topIdentity, writes: removals(FIRST) });
  const rest = await removeRest(token, context, clock);
  return {
    ...rest,
    names: [...new Set([...before, ...rest.names])],
    uses: [...(use === undefined ? [] : [use]), ...rest.uses],
  };
}

/**
 * A renewal that read `.top` just before its removal has temporary files by now, and may
 * still write `.use`.
 */
async function removeRest(
  token: TokenName,
  context: RevocationFiles,
  clock: Clock,
): Promise<Removed> {
  for (
    let waited = 0;
    waited < WRITE_TIMEOUT && context.beingWritten(token);
    waited += CHECK_INTERVAL
  )
    await clock.wait(CHECK_INTERVAL);
  // Only bare tokens have a state file.
  const kinds = context.present(token).includes('issued') ? [...LAST, 'issued' as const] : LAST;
  const names = namesOf(token, context, kinds);
  const use = context.readUse(token);
  try {
    context.store.apply({ ...token, from: undefined, writes: removals(kinds) });
    return { names, uses: use === undefined ? [] : [use] };
  } catch (error) {
    // A new login was stored meanwhile: the files belong to it.
    if (isCoded(error, 'CRED_SUPERSEDED')) return { names: [], uses: [] };
    if (!isCoded(error)) throw error;
    return { names: [], uses: [], problem: error.message };
  }
}

function namesOf(
  token: TokenName,
  context: RevocationFiles,
  kinds: readonly TokenFileKind[],
): string[] {
  const present = context.present(token);
  return kinds
    .filter((kind) => present.includes(kind))
    .map((kind) => tokenFileName(token.stem, kind));
}
