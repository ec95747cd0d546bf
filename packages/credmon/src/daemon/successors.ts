// Remembers the successors of recently spent refresh tokens. A login may store a spent
// one again: when a new answer has no refresh token, the portal rewrites `.top` with the
// stored one.
import {
  identityOf,
  parseObject,
  sameIdentity,
  tokenId,
  type FileIdentity,
  type Parsed,
  type TokenSnapshot,
} from '@credmon/core/credential';
import { isCoded, isRecord, messageOf } from '@credmon/core/base';
import {
  restOf,
  type CredentialStore,
  type TokenChange,
  type TokenFiles,
  type TokenWrite,
} from '@credmon/core/store';
import type { Report } from '../report/events.ts';

/** How long a spent refresh token is recognised, in seconds. */
export const RECOGNISED = 600;

/**
 * A rotated `.top` (its text), the text of the `.top` that was sent, and its refresh
 * token. `until` in steady seconds. These are secrets.
 */
export interface Successor {
  readonly sent: string;
  readonly before: string;
  readonly top: string;
  readonly until: number;
  /** The version of `.top` seen last without the spent refresh token. */
  seen: FileIdentity | undefined;
}

export interface SuccessorMemory {
  readonly successors: Map<string, Successor>;
  readonly unwritten: Map<string, TokenChange>;
  readonly writing: Pick<ReadonlySet<string>, 'has'>;
}

/** Returns the refresh token in the text of a `.top`, if any. */
export function refreshTokenIn(top: Parsed<string>): string | undefined {
  const object = top.ok ? parseObject(top.value) : top;
  const token = object.ok && isRecord(object.value) ? object.value['refresh_token'] : undefined;
  return typeof token === 'string' && token !== '' ? token : undefined;
}

/** Returns the successor in the writes of an answer to a request with `files`, if any. */
export function successorIn(
  writes: readonly TokenWrite[],
  { top }: Pick<TokenFiles, 'top'>,
  now: number,
): Successor | undefined {
  const text = writes.find(({ kind }) => kind === 'top')?.text;
  const sent = refreshTokenIn(top);
  if (text === undefined || sent === undefined || !top.ok) return undefined;
  return { sent, before: top.value, top: text, until: now + RECOGNISED, seen: undefined };
}

/**
 * Notes that a change has put the successor of its token in place, as the version `top` of
 * `.top`: it need not be read again.
 */
export function noteWritten(
  { successors }: Pick<SuccessorMemory, 'successors'>,
  change: TokenChange,
  top: FileIdentity | undefined,
): void {
  const successor = successors.get(tokenId(change));
  const isWritten = change.writes.some(
    ({ kind, text }) => kind === 'top' && text === successor?.top,
  );
  if (successor && isWritten) successor.seen = top;
}

/** How often `.top` may change while its successor is being written. */
const ATTEMPTS = 5;

/**
 * Writes the successor if `.top` contains the spent refresh token again, and keeps other
 * changes of that `.top`.
 * @returns true when the spent one was there
 */
export function restoreSuccessor(
  { store, report }: { readonly store: CredentialStore; readonly report: Report },
  { successors, unwritten }: Omit<SuccessorMemory, 'writing'>,
  token: { readonly user: string; readonly stem: string },
): boolean {
  const id = tokenId(token);
  const successor = successors.get(id);
  if (!successor) return false;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const { top, topIdentity } = store.read(token.user, token.stem);
    if (!top.ok || refreshTokenIn(top) !== successor.sent) {
      successor.seen = topIdentity;
      return false;
    }
    const text = withSuccessor(top.value, successor);
    const writes: TokenWrite[] = [{ kind: 'top', text, durable: true }];
    const change: TokenChange = { user: token.user, stem: token.stem, from: topIdentity, writes };
    try {
      store.apply(change);
      report({ type: 'rewritten', id });
      return true;
    } catch (error) {
      if (isCoded(error, 'CRED_SUPERSEDED')) continue;
      unwritten.set(id, restOf(change, error));
      report({ type: 'unwritten', id, why: messageOf(error) });
      return true;
    }
  }
  return false;
}

/** Returns the `.top` on disk with the changes of the renewal. */
function withSuccessor(inPlace: string, { before, top }: Successor): string {
  const [now, old, next] = [inPlace, before, top].map(membersOf);
  const changed = Object.entries(next ?? {}).filter(
    ([name, value]) => JSON.stringify(old?.[name]) !== JSON.stringify(value),
  );
  return `${JSON.stringify({ ...now, ...Object.fromEntries(changed) })}\n`;
}

function membersOf(text: string): Readonly<Record<string, unknown>> {
  const object = parseObject(text);
  return object.ok ? object.value : {};
}

/**
 * Restores successors of the tokens whose `.top` is not the version seen last. Pending
 * writes are retried separately; a token that is being written gets its successor now.
 */
export function restoreSuccessors(
  context: { readonly store: CredentialStore; readonly report: Report },
  memory: SuccessorMemory,
  tokens: Iterable<TokenSnapshot>,
): void {
  if (memory.successors.size === 0) return;
  for (const token of tokens) {
    const id = tokenId(token);
    const isPending = memory.unwritten.has(id) || memory.writing.has(id);
    const successor = isPending ? undefined : memory.successors.get(id);
    const top = identityOf(token.top);
    if (!successor || top === undefined || sameIdentity(successor.seen, top)) continue;
    restoreSuccessor(context, memory, token);
  }
}

/** Forgets expired successors. */
export function forgetSuccessors(
  { successors, unwritten }: Omit<SuccessorMemory, 'writing'>,
  now: number,
): void {
  for (const [id, { until }] of successors)
    if (until <= now && !unwritten.has(id)) successors.delete(id);
}
