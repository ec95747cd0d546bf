// Keeps one status file for each user with tokens: compares each scan with what was
// written, and writes what changed.
import { createHash } from 'node:crypto';
import { createYielder, inSlices, messageOf, systemCode } from '@credmon/core/base';
import type { AccountIds } from '@credmon/core/config';
import type { Instant, TokenSnapshot } from '@credmon/core/credential';
import type { Plan, Verdict } from '@credmon/core/renewal';
import { STANDING } from '../providers/standing/ports.ts';
import type { ScannedEvent } from '../report/events.ts';
import { statusRow, type StatusRow } from './rows.ts';
import { fileText } from './status-file.ts';

/** The status files of users, by user name. */
export interface StatusFiles {
  /** Replaces a user's file, which then belongs to `owner`. @throws what went wrong */
  write(user: string, text: string, owner: AccountIds): void;
  /** Removes a user's file, if it exists. @throws what went wrong */
  remove(user: string): void;
  /** Removes the files of all other users. @throws what went wrong */
  keepOnly(keep: (user: string) => boolean): void;
}

/** The accounts of this machine that may have a status file. */
export interface Accounts {
  /**
   * Returns the ids of an account, `none` if it does not exist, and `undefined` as long
   * as nothing is known.
   */
  known(name: string): AccountIds | 'none' | undefined;
  /** Looks up what is not known or too old. Never rejects. */
  lookUp(names: readonly string[]): Promise<void>;
}

/**
 * Options of the publisher. `why` says why no provider owns a token. `version` changes
 * when the settings do. `every`: seconds between two passes at the most.
 */
export interface PublisherOptions {
  readonly files: StatusFiles;
  readonly accounts: Accounts;
  /** The daemon's own ids: standing tokens have a file that is its own. */
  readonly self?: AccountIds | undefined;
  readonly directory: string;
  readonly every: number;
  readonly now: () => Instant;
  readonly why: (token: TokenSnapshot) => string | undefined;
  readonly version: () => unknown;
  readonly warn: (text: string) => void;
}

/** Writes status files. The methods never fail: what goes wrong is a warning. */
export interface Publisher {
  /** Takes over a scan. The files are written afterwards, while the pass continues. */
  scanned(event: ScannedEvent): Promise<void>;
  /** Writes nothing more. */
  close(): void;
}

/** The state of one user's file. */
interface UserFile {
  /** The number of the last pass that found tokens of the user. */
  pass: number;
  tokens: readonly TokenSnapshot[];
  /** `undefined` until it is known what the file says. */
  shown: Shown | undefined;
  owner: number | undefined;
  /** Makes what is not written yet: rows are not kept, those of many users take much memory. */
  pending: (() => Content) | undefined;
}

/** What decides whether a file has to be written again. */
interface Shown {
  /** The states of the tokens. */
  readonly states: string;
  /** When the first token expires that had not expired yet, in epoch seconds. */
  readonly until: number;
  readonly digest: string;
}

/** The rows of a file. */
interface Content {
  readonly rows: readonly StatusRow[];
  readonly shown: Shown;
}

/** Creates a publisher that has written nothing. */
export function createPublisher(options: PublisherOptions): Publisher {
  const { files, accounts, self, now, version } = options;
  const ownerOf = (user: string): AccountIds | 'none' | undefined =>
    user === STANDING ? self : accounts.known(user);
  const users = new Map<string, UserFile>();
  const failures = failuresOf(options.warn);
  let seen: unknown;
  let passes = 0;
  let isTidy = false;
  let isClosed = false;
  let writing = Promise.resolve();

  const writeAll = async (): Promise<void> => {
    const yieldIfDue = createYielder();
    for (const [user, file] of users) {
      if (isClosed) return;
      if (!file.pending) continue;
      const owner = ownerOf(user);
      if (owner === undefined) continue;
      failures.during(`the status file of ${user}`, () => {
        if (owner === 'none') files.remove(user);
        else {
          const content = file.pending?.();
          files.write(user, textOf(options, content?.rows ?? []), owner);
          file.shown = content?.shown;
        }
        file.owner = owner === 'none' ? undefined : owner.uid;
        file.pending = undefined;
      });
      await yieldIfDue();
    }
    failures.end();
  };
  /** One writer at a time: names may be found while a pass writes. */
  const write = (): Promise<void> => {
    writing = writing.then(writeAll);
    return writing;
  };

  return {
    close: () => {
      isClosed = true;
    },
    scanned: async ({ scan, plan }) => {
      const isForced = version() !== seen;
      seen = version();
      passes += 1;
      const decide = await decisionsOf(plan);
      const touched = isForced ? undefined : await touchedBy(plan);
      const { tokens } = scan;
      await inSlices(usersIn(tokens), ({ user, from, to }) => {
        if (self === undefined && user === STANDING) return;
        const file = users.get(user) ?? newFile();
        users.set(user, file);
        file.pass = passes;
        const owner = ownerOf(user);
        const isQuiet =
          touched?.has(user) === false &&
          !isUnsettled(file, now(), owner) &&
          areTokens(file.tokens, tokens, from, to);
        if (isQuiet) return;
        const own = tokens.slice(from, to);
        update(options, file, { tokens: own, decide: () => decide(user, own), isForced, owner });
      });
      if (scan.partial !== true && scan.problems.length === 0) {
        for (const [user, { pass }] of users) {
          if (pass === passes) continue;
          users.delete(user);
          failures.during(`the status file of ${user}`, () => files.remove(user));
        }
        if (!isTidy)
          failures.during('old status files', () => {
            files.keepOnly((user) => users.has(user));
            isTidy = true;
          });
      }
      // Neither many files nor a silent directory service may delay the renewals.
      void write();
      const names = [...users.keys()].filter((user) => user !== STANDING);
      void accounts.lookUp(names).then(write);
    },
  };
}

const newFile = (): UserFile => ({
  pass: 0,
  tokens: [],
  shown: undefined,
  owner: undefined,
  pending: undefined,
});

/** Logs a failure once, until everything could be written. */
function failuresOf(warn: (text: string) => void): {
  during(what: string, act: () => void): void;
  end(): void;
} {
  let first: string | undefined;
  let count = 0;
  let isLogged = false;
  return {
    during: (what, act) => {
      try {
        act();
      } catch (error) {
        first ??= `${what}: ${systemCode(error) ?? messageOf(error)}`;
        count += 1;
      }
    },
    end: () => {
      if (first !== undefined && !isLogged) {
        const more = count > 1 ? ` (and ${count - 1} more)` : '';
        warn(`Cannot write ${first}${more}; users may see old states, renewals continue`);
      }
      isLogged = first !== undefined;
      [first, count] = [undefined, 0];
    },
  };
}

/** The tokens of a user in a scan: those at `from` up to `to`, without it. */
interface UserTokens {
  readonly user: string;
  readonly from: number;
  readonly to: number;
}

function* usersIn(tokens: readonly TokenSnapshot[]): Generator<UserTokens, undefined> {
  for (let from = 0, to = 0; from < tokens.length; from = to) {
    const user = tokens[from]?.user ?? '';
    while (tokens[to]?.user === user) to += 1;
    yield { user, from, to };
  }
}

/** Returns what decides on the tokens of one user, again at each call if it can. */
async function decisionsOf({
  verdicts,
  verdictOf,
}: Plan): Promise<(user: string, tokens: readonly TokenSnapshot[]) => readonly Verdict[]> {
  if (verdictOf)
    return (_, tokens) => tokens.map(verdictOf).filter((verdict) => verdict !== undefined);
  const byUser = new Map<string, Verdict[]>();
  await inSlices(verdicts, (verdict) => {
    const { user } = verdict.managed.snapshot;
    const decided = byUser.get(user) ?? [];
    byUser.set(user, decided);
    decided.push(verdict);
  });
  return (user) => byUser.get(user) ?? [];
}

/** Returns the users of whose tokens a decision may have changed; `undefined`: all. */
async function touchedBy({ changedTokens }: Plan): Promise<ReadonlySet<string> | undefined> {
  if (!changedTokens) return undefined;
  const touched = new Set<string>();
  await inSlices(changedTokens, ({ user }) => touched.add(user));
  return touched;
}

/** True if the tokens at `from` up to `to`, without it, are exactly these. */
function areTokens(
  known: readonly TokenSnapshot[],
  tokens: readonly TokenSnapshot[],
  from: number,
  to: number,
): boolean {
  return (
    known.length === to - from && known.every((token, index) => token === tokens[from + index])
  );
}

/** True if the file may have to be written although no token has changed. */
function isUnsettled(file: UserFile, at: Instant, owner: AccountIds | 'none' | undefined): boolean {
  const { shown, pending } = file;
  if (!shown) return pending !== undefined || owner !== 'none';
  // Failures may be in memory only, and are part of other states.
  return !isOwned(file, owner) || at.wall >= shown.until || isUncertain(shown.states);
}

const isUncertain = (states: string): boolean => /due|waiting|stopped/.test(states);

/** True if the file belongs to this owner, or will soon. */
function isOwned({ owner, pending }: UserFile, of: AccountIds | 'none' | undefined): boolean {
  const uid = typeof of === 'object' ? of.uid : undefined;
  return pending !== undefined || of === undefined || uid === owner;
}

/** The tokens of a user, what decides on them, and whose the file should be. */
interface Found {
  readonly tokens: readonly TokenSnapshot[];
  readonly decide: () => readonly Verdict[];
  readonly isForced: boolean;
  readonly owner: AccountIds | 'none' | undefined;
}

function update({ why, now }: PublisherOptions, file: UserFile, found: Found): void {
  const { tokens, decide, isForced, owner } = found;
  const { shown } = file;
  const at = now();
  const content = (): Content => contentOf(tokens, decide(), at, why);
  const isSame =
    !isForced &&
    !isUnsettled(file, at, owner) &&
    areTokens(file.tokens, tokens, 0, tokens.length) &&
    (!shown || statesOf(decide()) === shown.states);
  if (isSame) return;
  const next = shown && content().shown;
  if (!next || next.digest !== shown.digest || !isOwned(file, owner) || isForced)
    file.pending = content;
  file.tokens = tokens;
  file.shown = next;
}

const statesOf = (verdicts: readonly Verdict[]): string =>
  verdicts.map(({ state }) => state).join(' ');

function contentOf(
  tokens: readonly TokenSnapshot[],
  verdicts: readonly Verdict[],
  at: Instant,
  why: PublisherOptions['why'],
): Content {
  const rows = rowsOf(tokens, verdicts, at, why);
  const expiries = rows.flatMap(({ provider, expired, expires_at: expiresAt }) =>
    provider === null || expired || expiresAt === null ? [] : [expiresAt],
  );
  const until = expiries.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  return { rows, shown: { states: statesOf(verdicts), until, digest: digestOf(rows) } };
}

function rowsOf(
  tokens: readonly TokenSnapshot[],
  verdicts: readonly Verdict[],
  at: Instant,
  why: PublisherOptions['why'],
): StatusRow[] {
  const managed = new Set(verdicts.map(({ managed }) => managed.snapshot.stem));
  const rows = [
    ...verdicts.map((verdict) => statusRow(verdict.managed.snapshot, verdict, at)),
    ...tokens
      .filter(({ stem }) => !managed.has(stem))
      .map((token) => statusRow(token, undefined, at, why(token))),
  ];
  return rows.sort((a, b) => (nameIn(a) < nameIn(b) ? -1 : 1));
}

const nameIn = ({ service, handle }: StatusRow): string => `${service} ${handle}`;

/**
 * Returns a digest of what a change of tokens changes. The time of the next renewal
 * follows from it, and is rounded differently at each pass.
 */
function digestOf(rows: readonly StatusRow[]): string {
  const text = JSON.stringify(rows.map((row) => ({ ...row, next_renewal: null })));
  return createHash('sha256').update(text).digest('base64');
}

function textOf({ directory, every, now }: PublisherOptions, tokens: readonly StatusRow[]): string {
  return fileText({ directory, written_at: Math.floor(now().wall), every, tokens });
}
