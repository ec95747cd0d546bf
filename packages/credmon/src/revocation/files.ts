// The files of a token as revoking sees them, and their removal in an order that neither
// a crash nor a daemon at work turns against the user.
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
  /** The text of `.use`; `undefined` when it is not there or cannot be read. */
  readonly readUse: (token: TokenName) => string | undefined;
  /** Which files of the token are there. */
  readonly present: (token: TokenName) => readonly TokenFileKind[];
  /**
   * True while a living process has staged a file of the token and not yet given it its
   * name.
   */
  readonly beingWritten: (token: TokenName) => boolean;
}

/**
 * What was removed: file names, and the texts of every `.use` that was there; `trouble`
 * says what stayed behind.
 */
export interface Removed {
  readonly names: readonly string[];
  readonly uses: readonly string[];
  readonly trouble?: string;
}

/**
 * The removal of `.top` is the moment that counts. Before it nothing is lost: a missing
 * `.use` is fetched again. After it nothing comes back, because whoever renews writes
 * only while `.top` is the one that the renewal came from.
 */
const FIRST = ['use', 'top'] as const satisfies readonly TokenFileKind[];
/** Means nothing without a `.top`; with a new one it belongs to that. */
const THEN = ['use', 'meta', 'renewal'] as const satisfies readonly TokenFileKind[];

/** Seconds to wait for somebody who is writing, and between two looks. */
const PATIENCE = 5;
const LOOK_AGAIN = 0.02;

const removals = (kinds: readonly TokenFileKind[]): TokenWrite[] =>
  kinds.map((kind) => ({ kind, text: undefined, durable: kind === 'top' }));

/**
 * Removes the token that `files` was read from.
 * @throws CodedError `CRED_SUPERSEDED` when `.top` is another one by now, `CRED_FILE_IO`
 * when the system refuses; `.top` is then still there
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
 * A renewal that looked at `.top` just before it went has its files staged by now, and
 * may still bring `.use` back.
 */
async function removeRest(
  token: TokenName,
  context: RevocationFiles,
  clock: Clock,
): Promise<Removed> {
  for (let waited = 0; waited < PATIENCE && context.beingWritten(token); waited += LOOK_AGAIN)
    await clock.wait(LOOK_AGAIN);
  const names = namesOf(token, context, THEN);
  const use = context.readUse(token);
  try {
    context.store.apply({ ...token, from: undefined, writes: removals(THEN) });
    return { names, uses: use === undefined ? [] : [use] };
  } catch (error) {
    // A new login came meanwhile: what is there now belongs to it.
    if (isCoded(error, 'CRED_SUPERSEDED')) return { names: [], uses: [] };
    if (!isCoded(error)) throw error;
    return { names: [], uses: [], trouble: error.message };
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
