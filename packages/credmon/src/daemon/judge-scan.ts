// Decides on every token of a scan. The decisions are not kept, because nearly all tokens
// are fresh: they are made again for whoever reads them.
import { createYielder } from '@credmon/core/base';
import {
  changedToken,
  identityOf,
  isUnread,
  sameIdentity,
  tokenId,
  type Instant,
  type TokenSnapshot,
} from '@credmon/core/credential';
import {
  forgottenAtStart,
  judge,
  planOf,
  type ManagedToken,
  type Plan,
  type Verdict,
} from '@credmon/core/renewal';
import type { CredentialStore, Scan, UnreadFiles } from '@credmon/core/store';
import type { Provider } from '../providers/common/provider.ts';
import type { PassMemory } from './context.ts';

/**
 * Returns the provider of a token under the current settings, `undefined` if no provider
 * owns it.
 */
export interface ProviderLookup {
  readonly manage: (token: TokenSnapshot) => Owner | undefined;
}

/** The provider of a token, and the token as that provider manages it. */
export interface Owner {
  readonly managed: ManagedToken;
  readonly provider: Provider;
}

/** What decisions depend on. */
export interface Judge {
  readonly lookup: ProviderLookup;
  readonly memory: PassMemory;
  readonly store: Pick<CredentialStore, 'unread'>;
  readonly now: Instant;
  /** How many unread tokens may be read to see whether they can be renewed later. */
  readonly mayRead: number;
}

/**
 * The decisions on a scan. `owner` returns the owner of a token, read completely;
 * `metaUrls` are the token URLs of the `.meta` files that were read.
 */
export interface JudgedScan {
  readonly scan: Scan;
  readonly plan: Plan;
  readonly owner: (id: string) => Owner | undefined;
  readonly metaUrls: ReadonlySet<string>;
}

/** Maximum number of distinct token URLs: any user may add one. */
export const MOST_URLS = 1024;
/** A pass that users wait for may read this many tokens that need no renewal. */
const FEW_UNREAD = 100;
/** Each other pass may read this many of them. */
const SOME_UNREAD = 500;
/** Tokens without a change are checked in such groups, in less than a millisecond. */
const AT_ONCE = 1024;
/** After the first pass, so many passes read all of them. */
const PASSES_TO_READ = 120;

/**
 * Returns how many tokens that need no renewal a pass may read: few in the first one and
 * when users wait, otherwise a share of all.
 */
export function mayReadOf(tokens: number, isQuick: boolean): number {
  return isQuick ? FEW_UNREAD : Math.max(SOME_UNREAD, Math.ceil(tokens / PASSES_TO_READ));
}

/** Decides on every token; `undefined` when aborted. */
export async function judgeScan(
  scan: Scan,
  input: Judge,
  cut: () => boolean,
): Promise<JudgedScan | undefined> {
  const unread = input.store.unread?.(input.now);
  try {
    return await judgeTokens(scan, input, unread, cut);
  } finally {
    unread?.close();
  }
}

async function judgeTokens(
  scan: Scan,
  input: Judge,
  unread: UnreadFiles | undefined,
  cut: () => boolean,
): Promise<JudgedScan | undefined> {
  const { memory, now } = input;
  const changed: number[] = [];
  const tokens = [...scan.tokens];
  const isFresh = freshBefore(input);
  const freshUntil = new Float64Array(tokens.length);
  const due: Verdict[] = [];
  const owners = new Map<string, Owner>();
  const metaUrls = new Set<string>();
  let nextIn = Number.POSITIVE_INFINITY;
  let length = 0;
  let { mayRead } = input;
  const yieldIfDue = createYielder();
  const isCut = async (): Promise<boolean> => {
    const pause = yieldIfDue();
    if (!pause) return false;
    await pause;
    return cut();
  };
  // Not by an iterator, whose objects for each token are a third of a pass's garbage.
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (!token) continue;
    const until = isFresh(token, mayRead > 0);
    if (until !== undefined) {
      freshUntil[index] = until;
      length += 1;
      nextIn = Math.min(nextIn, until - now.steady);
      if (index % AT_ONCE === 0 && (await isCut())) return undefined;
      continue;
    }
    let judged = judgeToken(token, input);
    if (judged && isUnread(token)) {
      const isNeeded = needsFiles(token, judged.verdict, memory);
      if (isNeeded || (mayRead > 0 && token.top.kind === 'unread')) {
        if (!isNeeded) mayRead -= 1;
        const whole = unread?.complete(token, isNeeded);
        if (whole) {
          tokens[index] = whole;
          judged = judgeToken(whole, input);
        }
      }
    }
    if (judged) {
      const { verdict, owner } = judged;
      const { snapshot } = owner.managed;
      length += 1;
      freshUntil[index] = freshTime(verdict, now);
      changed.push(index);
      if (verdict.state === 'due') {
        due.push(verdict);
        owners.set(tokenId(snapshot), owner);
      } else nextIn = Math.min(nextIn, verdict.dueIn);
      const { meta } = snapshot;
      if (meta.kind === 'valid' && metaUrls.size < MOST_URLS) metaUrls.add(meta.value.tokenUrl);
    }
    const pause = yieldIfDue();
    if (!pause) continue;
    await pause;
    if (cut()) return undefined;
  }
  if (cut()) return undefined;
  const { renew } = await planOf(due);
  const verdictOf = (token: TokenSnapshot): Verdict | undefined =>
    judgeToken(token, input)?.verdict;
  const verdicts = { length, [Symbol.iterator]: () => present(tokens.values(), verdictOf) };
  const changedTokens = { [Symbol.iterator]: () => tokensAt(tokens, changed) };
  const changedVerdicts = { [Symbol.iterator]: () => present(changedTokens, verdictOf) };
  memory.judged = { tokens, freshUntil, lookup: input.lookup, offset: now.wall - now.steady };
  return {
    scan: { ...scan, tokens },
    plan: { renew, verdicts, nextIn, changed: changedVerdicts, changedTokens, verdictOf },
    metaUrls,
    owner: (id) => owners.get(id) ?? ownerOfWhole(id, tokens, input, owners),
  };
}

function* present(
  tokens: Iterable<TokenSnapshot>,
  verdictOf: (token: TokenSnapshot) => Verdict | undefined,
): Generator<Verdict, undefined> {
  for (const token of tokens) {
    const verdict = verdictOf(token);
    if (verdict) yield verdict;
  }
}

function* tokensAt(
  tokens: readonly TokenSnapshot[],
  indices: readonly number[],
): Generator<TokenSnapshot, undefined> {
  for (const index of indices) {
    const token = tokens[index];
    if (token) yield token;
  }
}

/** Seconds. A larger difference of wall clock and steady clock is a step. */
const CLOCK_STEP = 1;

/**
 * How many tokens of the last pass may be passed over to find one again: those of users that
 * are gone or whose directories were scanned in another order.
 */
const PASSED_OVER = 64;

/**
 * Returns a function that says until when (steady seconds) a token is fresh, if the last
 * pass has decided that and nothing has changed; `undefined`: decide again. It must be asked
 * about each token, in the order of the scan. `mayRead`: its files may be read.
 */
function freshBefore({
  lookup,
  now,
  memory: { judged, failures },
}: Judge): (token: TokenSnapshot, mayRead: boolean) => number | undefined {
  const isStepped = (offset: number): boolean =>
    Math.abs(now.wall - now.steady - offset) > CLOCK_STEP;
  if (judged?.lookup !== lookup || isStepped(judged.offset)) return () => undefined;
  const { tokens, freshUntil } = judged;
  let next = 0;
  return (token, mayRead) => {
    // A new token moves all that follow by one; one that was read is another object.
    let at = next;
    while (at < tokens.length && !isNamedLike(tokens[at], token)) {
      at += 1;
      if (at - next > PASSED_OVER) return undefined;
    }
    if (at === tokens.length) return undefined;
    next = at + 1;
    if (tokens[at] !== token) return undefined;
    const until = freshUntil[at] ?? Number.NEGATIVE_INFINITY;
    if (now.steady >= until || (mayRead && token.top.kind === 'unread')) return undefined;
    return failures.size > 0 && failures.has(tokenId(token)) ? undefined : until;
  };
}

function isNamedLike(one: TokenSnapshot | undefined, token: TokenSnapshot): boolean {
  return one === token || (one?.user === token.user && one.stem === token.stem);
}

function freshTime({ state, dueIn, managed }: Verdict, now: Instant): number {
  return state === 'fresh' && managed.renewable.ok ? now.steady + dueIn : Number.NEGATIVE_INFINITY;
}

/** A failure is compared with what `.top` and `.meta` say. */
function needsFiles(token: TokenSnapshot, { state }: Verdict, { failures }: PassMemory): boolean {
  return state !== 'fresh' || (failures.size > 0 && failures.has(tokenId(token)));
}

/** Returns the owner of a token that is not due, for a user who asked for its renewal. */
function ownerOfWhole(
  id: string,
  tokens: readonly TokenSnapshot[],
  input: Judge,
  owners: Map<string, Owner>,
): Owner | undefined {
  const token = tokens.find((one) => tokenId(one) === id);
  if (!token) return undefined;
  const unread = isUnread(token) ? input.store.unread?.(input.now) : undefined;
  const owner = ownerOf(unread?.complete(token, true) ?? token, input);
  unread?.close();
  if (owner) owners.set(id, owner);
  return owner;
}

/** A token's owner and the decision on it. */
export interface JudgedToken {
  readonly owner: Owner;
  readonly verdict: Verdict;
}

/** Decides on one token; `undefined` without an owner. */
export function judgeToken(
  token: TokenSnapshot,
  input: Pick<Judge, 'lookup' | 'memory' | 'now'>,
): JudgedToken | undefined {
  const owner = ownerOf(token, input);
  return owner && { owner, verdict: judge(owner.managed, input.now) };
}

function ownerOf(
  token: TokenSnapshot,
  { lookup, memory }: Pick<Judge, 'lookup' | 'memory'>,
): Owner | undefined {
  const owner = lookup.manage(withFailure(token, memory));
  return owner && paused(owner, token, memory);
}

/**
 * Pauses a token that was just renewed, unless its `.use` is invalid or its `.top` has
 * changed.
 */
function paused(owner: Owner, token: TokenSnapshot, { pauses }: PassMemory): Owner {
  const pause = pauses.size === 0 ? undefined : pauses.get(tokenId(token));
  if (!pause || token.use.kind !== 'valid' || !sameIdentity(pause.top, identityOf(token.top)))
    return owner;
  return { ...owner, managed: { ...owner.managed, pausedUntil: pause.until } };
}

/** A failure counts even if it could not be written to the directory. */
function withFailure(token: TokenSnapshot, { failures, since }: PassMemory): TokenSnapshot {
  const remembered = failures.size === 0 ? undefined : failures.get(tokenId(token));
  const { renewal } = token;
  if (!remembered && renewal && renewal.last_attempt < since && forgottenAtStart(renewal))
    return changedToken(token, { renewal: undefined });
  if (!remembered || (renewal && renewal.last_attempt >= remembered.last_attempt)) return token;
  return changedToken(token, { renewal: remembered });
}
