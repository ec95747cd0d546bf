// Looks at one token: from the names of its files to its snapshot, reading only what is
// new and needed.
import { join } from 'node:path';
import { MAX_CREDENTIAL_BYTES, type Parsed } from '../credential/file-contents.ts';
import {
  digestMeta,
  digestTop,
  digestUseFile,
  parseRenewal,
  plainUseTimes,
} from '../credential/digest.ts';
import { parseIssued, withIssuedState, type UseFacts } from '../credential/issued-state.ts';
import { tokenFileName, type TokenFileKind, isCredName } from '../credential/file-names.ts';
import {
  identityOf,
  sameIdentity,
  type FileState,
  type Instant,
  type LazyState,
  type MetaDigest,
  type RenewalState,
  type TokenSnapshot,
  type TopDigest,
} from '../credential/snapshot.ts';
import type { TokenTimes } from '../credential/times.ts';
import {
  identityFromStat,
  readCredentialBytes,
  readCredentialFile,
  statIfThere,
  type FileReading,
} from './read-file.ts';
import { KIND_BITS, ScannedToken, UNREAD_META, type Rest } from './scanned-token.ts';

/** What the text of a file says. */
type Digest<T> = (
  text: string,
  mtime: number,
) => Parsed<T> & { readonly facts?: UseFacts | undefined };

/** What a look at a token depends on. `before` a file's name comes `prefix`. */
export interface TokenScan {
  readonly prefix: string;
  readonly user: string;
  readonly now: Instant;
  /**
   * True: `.top` and `.meta` of a token with a valid `.use` and no failed renewal stay
   * unread.
   */
  readonly lazy: boolean;
  readonly defaultLifetime: number;
  readonly isOvertaken?: (token: Pick<TokenSnapshot, 'user' | 'stem' | 'top' | 'use'>) => boolean;
}

const MISSING = { kind: 'missing' } as const;
const NO_FACTS: UseFacts = { assumed: false, bare: false };

/**
 * Returns the token with these files (see {@link KIND_BITS}), or `before` itself if nothing
 * has changed; `undefined` if it has neither `.top` nor `.use`.
 */
export function lookAtToken(
  scan: TokenScan,
  stem: string,
  kinds: number,
  before: ScannedToken | undefined,
): ScannedToken | undefined {
  if (before?.kinds === kinds && isUnchanged(scan, before)) return before;
  const old = before?.rest;
  const { prefix, user, lazy } = scan;
  const pathOf = (kind: TokenFileKind): string | undefined =>
    (kinds & KIND_BITS[kind]) === 0 ? undefined : prefix + tokenFileName(stem, kind);
  // Before `.use`, which is written after it.
  const issued = look(pathOf('issued'), old?.issued, parseIssued).state;
  const oldWritten = old?.written ?? before?.use;
  const { state: written, facts = NO_FACTS } = lookAtUse(scan, pathOf('use'), before, {
    written: oldWritten,
    hashed: issued.kind !== 'missing',
  });
  const { use, assumed, unfinished } = withIssuedState(written, facts, issued);
  const renewal = look(pathOf('renewal'), old?.renewal, digestRenewal).state;
  const isSettled = lazy && use.kind === 'valid' && renewal.kind === 'missing';
  const top = lookAtTop(pathOf('top'), before, isSettled);
  if (top.kind === 'missing' && use.kind === 'missing') return undefined;
  const overtaken = unfinished || scan.isOvertaken?.({ user, stem, top, use }) === true;
  // A `.meta` that was read for a renewal is forgotten after it.
  const oldMeta = isSettled && written !== oldWritten ? undefined : old?.meta;
  const meta =
    isSettled && (oldMeta === undefined || oldMeta.kind === 'missing' || oldMeta.kind === 'unread')
      ? unreadMeta(kinds)
      : look(pathOf('meta'), oldMeta, digestMeta).state;
  const found = { meta, renewal, issued, written, facts, overtaken, assumed };
  const isSame =
    before?.kinds === kinds &&
    written === oldWritten &&
    isSameTop(before, top) &&
    isSameRest(before, found);
  if (isSame) return before;
  const isSameUse =
    before !== undefined && sameIdentity(identityOf(written), identityOf(before.use));
  const seen = isSameUse && written.kind !== 'missing' ? before.seen : scan.now;
  return new ScannedToken({ user, stem, kinds, seen, top, use, rest: restOf(found) });
}

/** A quick look at a token that has nothing but `.top`, `.use` and an unread `.meta`. */
function isUnchanged({ prefix, lazy, isOvertaken }: TokenScan, token: ScannedToken): boolean {
  const { kinds, stem } = token;
  if (token.rest || (!lazy && token.meta.kind === 'unread')) return false;
  if ((kinds & KIND_BITS.use) === 0 || (kinds & KIND_BITS.top) === 0) return false;
  const use = statIfThere(`${prefix}${stem}.use`);
  if (!use || !token.hasUse(identityFromStat(use))) return false;
  const top = statIfThere(`${prefix}${stem}.top`);
  if (!top || !token.hasTop(identityFromStat(top))) return false;
  return (lazy || token.top.kind !== 'unread') && isOvertaken?.(token) !== true;
}

interface Found<T> {
  readonly state: FileState<T>;
  readonly facts?: UseFacts | undefined;
}

/** Returns `before` itself for the same version of a file that was read. */
function look<T>(
  path: string | undefined,
  before: LazyState<T> | undefined,
  digest: Digest<T>,
  read: (path: string, digest: Digest<T>) => Found<T> = readDigest,
): Found<T> {
  if (path === undefined) return { state: MISSING };
  const isKnown = before?.kind === 'valid' || before?.kind === 'broken';
  const stats = isKnown && before.identity ? statIfThere(path) : undefined;
  const isSame = isKnown && stats && sameIdentity(before.identity, identityFromStat(stats));
  return isSame ? { state: before } : read(path, digest);
}

function lookAtUse(
  { defaultLifetime }: TokenScan,
  path: string | undefined,
  before: ScannedToken | undefined,
  { written, hashed }: { written: FileState<TokenTimes> | undefined; hashed: boolean },
): Found<TokenTimes> {
  const facts = before?.rest?.facts ?? NO_FACTS;
  // Without a state file, the hash of a bare token was not needed.
  const lacksHash = hashed && facts.bare && facts.hash === undefined;
  const known = lacksHash ? undefined : written;
  const found = look(path, known, useDigest(defaultLifetime, hashed), readUseFile);
  return found.state === known ? { state: found.state, facts } : found;
}

function lookAtTop(
  path: string | undefined,
  before: ScannedToken | undefined,
  mayStayUnread: boolean,
): LazyState<TopDigest> {
  if (path === undefined) return MISSING;
  const known = before?.top;
  if (!mayStayUnread) return look(path, known, digestTop).state;
  const stats = statIfThere(path);
  if (!stats) return readDigest(path, digestTop).state;
  const identity = identityFromStat(stats);
  if (known && before?.hasTop(identity)) return known;
  const isReadable = stats.isFile() && stats.size > 0 && stats.size <= MAX_CREDENTIAL_BYTES;
  return isReadable ? { kind: 'unread', identity } : readDigest(path, digestTop).state;
}

function unreadMeta(kinds: number): LazyState<MetaDigest> {
  return (kinds & KIND_BITS.meta) === 0 ? MISSING : UNREAD_META;
}

function isSameTop(before: ScannedToken, top: LazyState<TopDigest>): boolean {
  const old = before.top;
  if (old.kind !== top.kind) return false;
  return top.kind === 'missing' || (top.identity !== undefined && before.hasTop(top.identity));
}

type FoundRest = Omit<Rest, 'assumed' | 'overtaken'> & {
  readonly assumed: boolean;
  readonly overtaken: boolean;
};

function isSameRest(before: ScannedToken, found: FoundRest): boolean {
  const { rest, meta } = before;
  return (
    found.meta === meta &&
    found.renewal.kind === (rest?.renewal ?? MISSING).kind &&
    (found.renewal.kind === 'missing' || found.renewal === rest?.renewal) &&
    (found.issued.kind === 'missing'
      ? (rest?.issued ?? MISSING).kind === 'missing'
      : found.issued === rest?.issued) &&
    found.overtaken === (rest?.overtaken === true)
  );
}

/** Most tokens have nothing else. */
function restOf(found: FoundRest): Rest | undefined {
  const { meta, renewal, issued, written, facts, overtaken, assumed } = found;
  const isPlain =
    (meta.kind === 'missing' || meta.kind === 'unread') &&
    renewal.kind === 'missing' &&
    issued.kind === 'missing' &&
    facts === NO_FACTS;
  if (isPlain && !assumed && !overtaken) return undefined;
  // A spread would give each of these objects a description of its own, which is larger.
  return {
    meta,
    renewal,
    issued,
    written,
    facts,
    overtaken: overtaken ? true : undefined,
    assumed: assumed ? true : undefined,
  };
}

/**
 * Returns the token without the contents of a valid `.meta`: they are not needed until a
 * renewal.
 */
export function withoutMeta(token: ScannedToken): ScannedToken {
  const { rest, user, stem, kinds, seen, top, use, overtaken, assumed } = token;
  if (rest?.meta.kind !== 'valid') return token;
  const left = { ...rest, meta: UNREAD_META };
  return new ScannedToken({
    user,
    stem,
    kinds,
    seen,
    top,
    use,
    rest: restOf({ ...left, overtaken: overtaken === true, assumed: assumed === true }),
  });
}

function digestRenewal(text: string): Parsed<RenewalState> {
  const value = parseRenewal(text);
  return value ? { ok: true, value } : { ok: false, reason: 'is not a renewal state' };
}

function useDigest(defaultLifetime: number, hashed: boolean): Digest<TokenTimes> {
  return (text, mtime) => {
    const digest = digestUseFile(text, mtime, defaultLifetime, hashed);
    if (!digest.ok) return digest;
    const { times, ...facts } = digest.value;
    // Most files are like this: one object for all saves memory.
    return { ok: true, value: times, facts: facts.assumed || facts.bare ? facts : NO_FACTS };
  };
}

/**
 * Reads and digests one file. A file that cannot be read or parsed is `broken`, with the
 * reason.
 */
function readDigest<T>(path: string, digest: Digest<T>): Found<T> {
  const reading = readCredentialFile(path);
  return reading.kind === 'text' ? digested(reading, digest) : { state: reading };
}

/** Like {@link readDigest} for `.use`, nearly always without decoding it. */
function readUseFile(path: string, digest: Digest<TokenTimes>): Found<TokenTimes> {
  const reading = readCredentialBytes(path);
  if (reading.kind !== 'bytes') return { state: reading };
  const { bytes, length, identity } = reading;
  const times = plainUseTimes(bytes, length);
  return times
    ? { state: { kind: 'valid', value: times, identity }, facts: NO_FACTS }
    : digested({ text: bytes.toString('utf8', 0, length), identity }, digest);
}

function digested<T>(
  { text, identity }: Pick<Extract<FileReading, { kind: 'text' }>, 'text' | 'identity'>,
  digest: Digest<T>,
): Found<T> {
  const parsed = digest(text, identity.mtime);
  if (!parsed.ok) return { state: { kind: 'broken', reason: parsed.reason, identity } };
  return { state: { kind: 'valid', value: parsed.value, identity }, facts: parsed.facts };
}

// One access token file, without a scan of the credential directory.

/**
 * Returns the times of the `.use` of one token in the credential directory `root`, like a
 * scan: also if only `.S.issued` contains them. `defaultLifetime` is in seconds, for a
 * token without a lifetime. If it is missing, the result for such a token is `undefined`.
 */
export function readUse(
  root: string,
  user: string,
  stem: string,
  defaultLifetime: number,
): FileState<TokenTimes>;
export function readUse(
  root: string,
  user: string,
  stem: string,
): FileState<TokenTimes> | undefined;
export function readUse(
  root: string,
  user: string,
  stem: string,
  defaultLifetime?: number,
): FileState<TokenTimes> | undefined {
  if (!isCredName(user) || !isCredName(stem)) return { kind: 'missing' };
  const directory = join(root, user);
  if (statIfThere(directory)?.isDirectory() === false) return { kind: 'missing' };
  const path = (kind: TokenFileKind): string => join(directory, tokenFileName(stem, kind));
  const issued = readDigest(path('issued'), parseIssued).state;
  const digest = useDigest(defaultLifetime ?? 0, true);
  const { state, facts = NO_FACTS } = readDigest(path('use'), digest);
  const { use } = withIssuedState(state, facts, issued);
  // Also a lifetime that the file has may be of no use, and the default one counts.
  const isDefault = use.kind === 'valid' && use.value.expiresAt <= use.value.issuedAt;
  return isDefault && defaultLifetime === undefined ? undefined : use;
}
