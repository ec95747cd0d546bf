// One token of a scan in little memory: numbers and shared objects; its members are made
// when they are read. A hundred thousand of them must fit into some 20 MB.
import type { IssuedState, UseFacts } from '../credential/issued-state.ts';
import type {
  FileIdentity,
  FileState,
  Instant,
  LazyState,
  MetaDigest,
  RenewalState,
  TokenSnapshot,
  TopDigest,
} from '../credential/snapshot.ts';
import type { TokenTimes } from '../credential/times.ts';

/** The kinds of file in a set, as bits. */
export const KIND_BITS = { top: 1, use: 2, meta: 4, renewal: 8, issued: 16 } as const;
/** Every kind of file. */
export const EVERY_KIND = 31;

/** What few tokens have: `.S.renewal`, `.S.issued`, or a `.meta` that was read. */
export interface Rest {
  readonly meta: LazyState<MetaDigest>;
  readonly renewal: FileState<RenewalState>;
  readonly issued: FileState<IssuedState>;
  /** The state of `.use` before `.S.issued` is taken into account. */
  readonly written: FileState<TokenTimes>;
  readonly facts: UseFacts;
  readonly overtaken: boolean | undefined;
  readonly assumed: true | undefined;
}

/** The parts of a token as they were found. */
export interface TokenParts {
  readonly user: string;
  readonly stem: string;
  /** The names found, see {@link KIND_BITS}. */
  readonly kinds: number;
  readonly seen: Instant;
  readonly top: LazyState<TopDigest>;
  readonly use: FileState<TokenTimes>;
  readonly rest: Rest | undefined;
}

const MISSING = { kind: 'missing' } as const;
/** A `.meta` of which only the name is known. */
export const UNREAD_META: LazyState<MetaDigest> = { kind: 'unread' };
const NO_FILE: FileIdentity = { ino: 0, mtime: 0, size: 0 };

/** The most common contents of `.top`: one object for all. */
const COMMON_TOPS: readonly TopDigest[] = (['present', 'empty', 'absent'] as const).flatMap(
  (refreshToken) => [
    { opaque: false, refreshToken, vaultUrl: undefined },
    { opaque: true, refreshToken },
  ],
);

/** A snapshot that computes its members from numbers. */
export class ScannedToken implements TokenSnapshot {
  readonly user: string;
  readonly stem: string;
  readonly seen: Instant;
  readonly kinds: number;
  readonly rest: Rest | undefined;
  readonly #topIno: number;
  readonly #topMtime: number;
  readonly #topSize: number;
  readonly #useIno: number;
  readonly #useMtime: number;
  readonly #useSize: number;
  readonly #issuedAt: number;
  readonly #expiresAt: number;
  /** The contents of a valid `.top`, or the whole state of another one. */
  readonly #top: TopDigest | Exclude<LazyState<TopDigest>, { kind: 'valid' | 'unread' }> | 'unread';
  readonly #use: 'valid' | 'before top' | Exclude<FileState<TokenTimes>, { kind: 'valid' }>;

  constructor({ user, stem, kinds, seen, top, use, rest }: TokenParts) {
    const topIdentity = (top.kind === 'missing' ? undefined : top.identity) ?? NO_FILE;
    const useIdentity = (use.kind === 'missing' ? undefined : use.identity) ?? NO_FILE;
    this.user = user;
    this.stem = stem;
    this.seen = seen;
    this.kinds = kinds;
    this.rest = rest;
    this.#topIno = topIdentity.ino;
    this.#topMtime = topIdentity.mtime;
    this.#topSize = topIdentity.size;
    this.#useIno = useIdentity.ino;
    this.#useMtime = useIdentity.mtime;
    this.#useSize = useIdentity.size;
    this.#issuedAt = use.kind === 'valid' ? use.value.issuedAt : 0;
    this.#expiresAt = use.kind === 'valid' ? use.value.expiresAt : 0;
    this.#top = top.kind === 'valid' ? shared(top.value) : top.kind === 'unread' ? 'unread' : top;
    this.#use = use.kind !== 'valid' ? use : use.value.beforeTop === true ? 'before top' : 'valid';
  }

  get top(): LazyState<TopDigest> {
    const top = this.#top;
    if (top !== 'unread' && 'kind' in top) return top;
    const identity = { ino: this.#topIno, mtime: this.#topMtime, size: this.#topSize };
    return top === 'unread'
      ? { kind: 'unread', identity }
      : { kind: 'valid', value: top, identity };
  }

  get use(): FileState<TokenTimes> {
    const use = this.#use;
    if (typeof use === 'object') return use;
    const times = { issuedAt: this.#issuedAt, expiresAt: this.#expiresAt };
    return {
      kind: 'valid',
      value: use === 'before top' ? { ...times, beforeTop: true } : times,
      identity: { ino: this.#useIno, mtime: this.#useMtime, size: this.#useSize },
    };
  }

  get meta(): LazyState<MetaDigest> {
    if (this.rest) return this.rest.meta;
    return (this.kinds & KIND_BITS.meta) === 0 ? MISSING : UNREAD_META;
  }

  get renewal(): RenewalState | undefined {
    const renewal = this.rest?.renewal;
    return renewal?.kind === 'valid' ? renewal.value : undefined;
  }

  get issued(): FileState<IssuedState> | undefined {
    const issued = this.rest?.issued;
    return issued?.kind === 'missing' ? undefined : issued;
  }

  get overtaken(): boolean | undefined {
    return this.rest?.overtaken;
  }

  get assumed(): true | undefined {
    return this.rest?.assumed;
  }

  /** True if `.top` is still this version of a readable file, read or not. */
  hasTop(found: FileIdentity): boolean {
    const isNumbered = this.#topIno !== 0 || this.#topMtime !== 0;
    return (
      isNumbered &&
      this.#topIno === found.ino &&
      this.#topMtime === found.mtime &&
      this.#topSize === found.size
    );
  }

  /** True if `.use` is still this version. */
  hasUse(found: FileIdentity): boolean {
    const isNumbered = this.#useIno !== 0 || this.#useMtime !== 0;
    return (
      isNumbered &&
      this.#useIno === found.ino &&
      this.#useMtime === found.mtime &&
      this.#useSize === found.size
    );
  }
}

function shared(digest: TopDigest): TopDigest {
  if (digest.vaultUrl !== undefined) return digest;
  return (
    COMMON_TOPS.find(
      ({ opaque, refreshToken }) =>
        opaque === digest.opaque && refreshToken === digest.refreshToken,
    ) ?? digest
  );
}
