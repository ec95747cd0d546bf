// Reads the requests in a directory into which every user can write: trusts nothing in
// it, and removes what is not a request.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  readSync,
  rmdirSync,
  unlinkSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { systemClock, systemCode } from '@credmon/core/base';
import { createRequestRate, MOST_WAITING } from '../requests/rate.ts';
import {
  judgeEntry,
  LONGEST_REQUEST,
  parseRequest,
  whyUntrusted,
  type EntryFacts,
  type RenewalRequest,
} from '../requests/request.ts';

/** Entries that one look reads: names are cheap, but a user can create any number. */
const MOST_ENTRIES = 4096;

const NEVER_WAIT = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Options of the reader: `take` gets each request, `warn` each problem, each time. */
export interface RequestReaderOptions {
  readonly requests: string;
  readonly take: (request: RenewalRequest) => void;
  readonly warn: (text: string) => void;
}

/**
 * Creates the reader of a directory. It reads all requests, and returns true if some are
 * left for a later look.
 */
export function createRequestReader({ requests, take, warn }: RequestReaderOptions): () => boolean {
  const rate = createRequestRate();

  /** Removes an entry; a directory only if it is empty. */
  const remove = (path: string, facts: EntryFacts): boolean => {
    try {
      if (facts.kind === 'directory') rmdirSync(path);
      else unlinkSync(path);
      return true;
    } catch (error) {
      const code = systemCode(error);
      if (code === undefined) throw error;
      if (code === 'ENOENT') return false;
      warn(`Cannot remove a ${facts.kind} in ${requests} (${code}, user id ${facts.uid})`);
      return false;
    }
  };
  const refuse = (path: string, facts: EntryFacts, why: string): void => {
    warn(`Ignored in ${requests}: ${why} (user id ${facts.uid})`);
    remove(path, facts);
  };

  const lookAt = (name: string, waiting: Map<number, number>): void => {
    const path = join(requests, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (!stats) return;
    const facts = factsOf(stats);
    const verdict = judgeEntry(name, facts, systemClock.now());
    if (verdict.kind === 'leave') return;
    if (verdict.kind === 'remove') {
      if (verdict.why === undefined) remove(path, facts);
      else refuse(path, facts, verdict.why);
      return;
    }
    const { uid } = facts;
    if (!rate.permits(uid, systemClock.steady())) {
      waiting.set(uid, (waiting.get(uid) ?? 0) + 1);
      if ((waiting.get(uid) ?? 0) > MOST_WAITING) refuse(path, facts, 'too many requests');
      return;
    }
    rate.count(uid, systemClock.steady());
    const reading = readRequest(path, stats);
    const wanted = typeof reading === 'string' ? parseRequest(reading) : undefined;
    if (!wanted) {
      const why = typeof reading === 'string' ? 'it is not a request' : reading.why;
      return refuse(path, facts, why);
    }
    // Otherwise each look would take it again.
    if (!remove(path, facts)) return;
    take({ id: verdict.id, uid, gid: stats.gid, ...wanted });
  };

  return () => {
    const waiting = new Map<number, number>();
    const names = firstNames(requests);
    for (const name of names) lookAt(name, waiting);
    return names.length === MOST_ENTRIES || waiting.size > 0;
  };
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

/**
 * Returns the content of the file that `before` describes, or why it cannot be used: its
 * owner may replace or change it at any moment.
 */
function readRequest(path: string, before: Stats): string | { readonly why: string } {
  let descriptor: number;
  try {
    descriptor = openSync(path, NEVER_WAIT);
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return { why: `it cannot be read (${code})` };
  }
  try {
    const stats = fstatSync(descriptor);
    if (stats.ino !== before.ino || stats.dev !== before.dev || stats.uid !== before.uid)
      return { why: 'it was replaced' };
    const why = whyUntrusted(factsOf(stats));
    if (why !== undefined) return { why };
    const bytes = Buffer.alloc(LONGEST_REQUEST);
    return bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** Returns the first names of a directory, in no order. */
function firstNames(path: string): string[] {
  const names: string[] = [];
  const directory = opendirSync(path);
  try {
    for (let entry = directory.readSync(); entry; entry = directory.readSync()) {
      names.push(entry.name);
      if (names.length === MOST_ENTRIES) break;
    }
  } finally {
    directory.closeSync();
  }
  return names;
}
