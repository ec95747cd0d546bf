// Reads the requests in a directory into which every user can write: trusts nothing in
// it, and removes what is not a request. Entries are moved to a private directory first:
// there nobody can replace them, and no mount of a user makes a look at them wait.
import { createTurns, createUnfinished } from '../requests/limits.ts';
import {
  type EntryFacts,
  LONGEST_REQUEST,
  type RenewalRequest,
  type WantedToken,
  isUnfinished,
  judgeEntry,
  parseRequest,
  requestId,
  whyUntrusted,
  type TokenRequest,
  parseTokenRequest,
} from '../requests/request.ts';
import { type Clock, systemClock, systemCode, systemRandom } from '@credmon/core/base';
import {
  type OpenDirOptions,
  type Stats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  opendirSync,
  readSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';

/** Names that one look reads: names are cheap, but a user can create any number. */
const MOST_NAMES = 65_536;
/** Requests that one look moves, and other entries. */
const MOST_ENTRIES = 1024;

const NEVER_WAIT = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Options of the reader: `taken` is the private directory into which entries are moved;
 * `take` gets each request for a renewal, `takeToken` each one for a token (without it
 * they are ignored), `warn` each problem, each time.
 */
export interface RequestReaderOptions {
  readonly requests: string;
  readonly taken: string;
  readonly take: (request: RenewalRequest) => void;
  readonly takeToken?: ((request: TokenRequest) => void) | undefined;
  readonly warn: (text: string) => void;
  readonly clock?: Pick<Clock, 'now' | 'steady'>;
}

/** The reader of a directory. */
export interface RequestReader {
  /**
   * Reads requests, beginning where the last look ended. Returns what is left: `more`
   * entries, or only requests that are `waiting` for their turn.
   * @throws the system's error if the directory cannot be read
   */
  look(this: void): 'more' | 'waiting' | 'nothing';
  close(this: void): void;
}

/**
 * Creates the reader of a directory.
 * @throws the system's error if the private directory cannot be read
 */
export function createRequestReader({
  requests,
  taken,
  take,
  takeToken,
  warn,
  clock = systemClock,
}: RequestReaderOptions): RequestReader {
  const entries = openTakenEntries(taken, warn);
  const turns = createTurns<RenewalRequest | TokenRequest>();
  const unfinished = createUnfinished();
  let reading: NameReading | undefined;

  const refuse = (why: string, uid: number): void =>
    warn(`Ignored in ${requests}: ${why} (user id ${uid})`);

  const give = (request: RenewalRequest | TokenRequest): void => {
    if ('wish' in request) takeToken?.(request);
    else take(request);
  };
  const judge = (name: string, { path, stats }: TakenEntry): void => {
    const verdict = judgeEntry(name, factsOf(stats), clock.now());
    if (verdict.kind === 'remove') {
      if (verdict.why !== undefined) refuse(verdict.why, stats.uid);
      return;
    }
    const wanted = readRequest(path, takeToken !== undefined);
    if ('why' in wanted) return refuse(wanted.why, stats.uid);
    const request = { id: verdict.id, uid: stats.uid, gid: stats.gid, ...wanted };
    const turn = turns.add(request, clock.steady());
    if (turn === 'take') give(request);
    else if (turn === 'refuse') refuse('too many requests', stats.uid);
  };

  /** Looks at an entry only where no user can change what is under its name. */
  const lookAt = (name: string, bytes: Buffer): void => {
    const entry = entries.take(requests, bytes);
    if (typeof entry !== 'string') {
      try {
        judge(name, entry);
      } finally {
        entries.discard(entry);
      }
    } else if (entry !== 'ENOENT' && !removeEmpty(join(requests, name)))
      warn(`Cannot remove an entry of ${requests} (${entry})`);
  };

  const close = (): void => {
    reading?.close();
    reading = undefined;
  };
  /** Looks at the next entries, requests first; returns true if there may be more. */
  const readSome = (): boolean => {
    reading ??= readNames(requests);
    const moved = { requests: 0, others: 0 };
    let isSkipped = false;
    for (let count = 0; count < MOST_NAMES && moved.requests < MOST_ENTRIES; count += 1) {
      const bytes = reading.next();
      if (!bytes) {
        unfinished.allRead();
        close();
        return isSkipped;
      }
      const name = bytes.toString('latin1');
      if (isUnfinished(name) && unfinished.mayStay(name, clock.steady())) continue;
      const kind = requestId(name) === undefined ? 'others' : 'requests';
      moved[kind] += 1;
      if (moved[kind] <= MOST_ENTRIES) lookAt(name, bytes);
      else isSkipped = true;
    }
    return true;
  };
  const look: RequestReader['look'] = () => {
    for (const request of turns.next(clock.steady())) give(request);
    let hasMore = false;
    try {
      hasMore = readSome();
    } catch (error) {
      close();
      throw error;
    }
    if (entries.empty() || hasMore) return 'more';
    return turns.waiting > 0 ? 'waiting' : 'nothing';
  };
  return { look, close };
}

/** Only root may move a directory of another user: without root, an empty one is removed. */
function removeEmpty(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

function factsOf(stats: Stats): EntryFacts {
  const kind = stats.isFile()
    ? 'file'
    : stats.isSymbolicLink()
      ? 'link'
      : stats.isDirectory()
        ? 'directory'
        : 'other';
  const { uid, nlink: links, size } = stats;
  return { kind, uid, links, mode: stats.mode & 0o7777, size, mtime: stats.mtimeMs / 1000 };
}

/** What a file asks for: a renewal or a token. */
type Wanted = WantedToken | Pick<TokenRequest, 'wish' | 'to'>;

/**
 * Returns what a file asks for, or why it cannot be used: its owner may have it open, and
 * change it at any moment. `issues`: tokens are issued on request.
 */
function readRequest(path: string, issues: boolean): Wanted | { readonly why: string } {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, NEVER_WAIT);
    const why = whyUntrusted(factsOf(fstatSync(descriptor)));
    if (why !== undefined) return { why };
    const bytes = Buffer.alloc(LONGEST_REQUEST);
    const text = bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, bytes.length, 0));
    const wanted = parseRequest(text) ?? (issues ? parseTokenRequest(text) : undefined);
    return wanted ?? { why: 'it is not a request' };
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return { why: `it cannot be read (${code})` };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Entries that one call removes from directories that were not empty. */
const MOST_AT_ONCE = 1024;

/** An entry in the private directory. Its place there has a new name. */
interface TakenEntry {
  readonly path: string;
  readonly stats: Stats;
}

/** The entries that were moved into the private directory. */
interface TakenEntries {
  /**
   * Moves an entry; returns it, or the system's error code: `EBUSY` for a mount point.
   * The name is bytes: users choose it, and it need not be valid UTF-8.
   */
  take(this: void, directory: string, name: Buffer): TakenEntry | string;
  /** Removes an entry. A directory that is not empty is left for {@link empty}. */
  discard(this: void, entry: TakenEntry): void;
  /** Removes a part of what is left. Returns true if there is more to remove. */
  empty(this: void): boolean;
}

/**
 * Opens the private directory. What an earlier daemon left there is removed. `warn` gets
 * each problem, each time.
 * @throws the system's error if the directory cannot be read
 */
function openTakenEntries(directory: string, warn: (text: string) => void): TakenEntries {
  // Other names than those of an earlier daemon.
  const prefix = Buffer.from(systemRandom(8)).toString('hex');
  let count = 0;
  /** Directories in the private one that are not empty. */
  const full: string[] = [];

  const take = (from: string, name: Buffer): TakenEntry | string => {
    count += 1;
    const path = join(directory, `${prefix}-${count}`);
    try {
      // Moves a link itself, and fails for a mount point without asking its file system.
      renameSync(Buffer.concat([Buffer.from(`${from}/`), name]), path);
      return { path, stats: lstatSync(path) };
    } catch (error) {
      return codeOf(error);
    }
  };
  const discard = ({ path, stats }: TakenEntry): void => {
    try {
      if (stats.isDirectory()) rmdirSync(path);
      else unlinkSync(path);
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOTEMPTY') full.push(path);
      else warn(`Cannot remove an entry of ${directory} (${code}, user id ${stats.uid})`);
    }
  };

  /** Moves entries of a directory up and discards them. Returns how many names it read. */
  const emptyOne = (path: string, most: number): number => {
    const names = firstNames(path, most);
    let moved = 0;
    for (const name of names) {
      const entry = take(path, name);
      if (typeof entry === 'string') continue;
      moved += 1;
      discard(entry);
    }
    // Fails if an entry could not be moved.
    if (names.length < most || moved === 0) rmdirSync(path);
    return names.length;
  };
  const empty = (): boolean => {
    let left = MOST_AT_ONCE;
    while (left > 0) {
      const path = full[0];
      if (path === undefined) return false;
      const most = left;
      try {
        left -= emptyOne(path, most);
      } catch (error) {
        // The next start of the daemon tries it again.
        warn(`Cannot empty a directory in ${directory} (${codeOf(error)})`);
        left -= 1;
        full.shift();
        continue;
      }
      if (left > 0) full.shift();
    }
    return true;
  };

  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats) discard({ path, stats });
  }
  return { take, discard, empty };
}

function firstNames(path: string, most: number): Buffer[] {
  const reading = readNames(path);
  const names: Buffer[] = [];
  try {
    while (names.length < most) {
      const name = reading.next();
      if (!name) break;
      names.push(name);
    }
  } finally {
    reading.close();
  }
  return names;
}

/** The types know encodings of text only; with this one, a name is a buffer. */
const AS_BYTES = { encoding: 'buffer', bufferSize: 256 } as unknown as OpenDirOptions;

/** The names of an open directory, one after the other, as bytes. */
interface NameReading {
  /** Returns the next name; `undefined` at the end. @throws the system's error */
  next(this: void): Buffer | undefined;
  close(this: void): void;
}

/** Opens a directory to read its names, in no order. @throws the system's error */
export function readNames(path: string): NameReading {
  const directory = opendirSync(path, AS_BYTES);
  return {
    next: () => {
      const entry = directory.readSync();
      return entry === null ? undefined : Buffer.from(entry.name);
    },
    close: () => directory.closeSync(),
  };
}

function codeOf(error: unknown): string {
  const code = systemCode(error);
  if (code === undefined) throw error;
  return code;
}
