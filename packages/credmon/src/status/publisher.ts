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
  states: string;
  /** When the first token expires that had not expired yet, in epoch seconds. */
  until: number;
  digest: string | undefined;
  owner: number | undefined;
  /** Makes the rows that are not written yet: kept, those of many users take much memory. */
  rows: (() => readonly StatusRow[]) | undefined;
}

/** The tokens of one user in a scan. */
interface Group {
  readonly tokens: readonly TokenSnapshot[];
  readonly verdicts: () => readonly Verdict[];
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
      if (!file.rows) continue;
      const owner = ownerOf(user);
      if (owner === undefined) continue;
      failures.during(`the status file of ${user}`, () => {
        if (owner === 'none') files.remove(user);
        else files.write(user, textOf(options, file.rows?.() ?? []), owner);
        file.owner = owner === 'none' ? undefined : owner.uid;
        file.rows = undefined;
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
        const group = { tokens: own, verdicts: () => decide(user, own) };
        update(options, file, group, { isForced, at: now(), owner });
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
  states: '',
  until: Number.NEGATIVE_INFINITY,
  digest: undefined,
  owner: undefined,
  rows: undefined,
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
  let from = 0;
  for (const [index, { user }] of tokens.entries()) {
    if (user === tokens[index + 1]?.user) continue;
    yield { user, from, to: index + 1 };
    from = index + 1;
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
async function touchedBy({ changed }: Plan): Promise<ReadonlySet<string> | undefined> {
  if (!changed) return undefined;
  const touched = new Set<string>();
  await inSlices(changed, ({ managed }) => touched.add(managed.snapshot.user));
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
  const uid = typeof owner === 'object' ? owner.uid : undefined;
  const isOwned = file.rows !== undefined || owner === undefined || uid === file.owner;
  // Failures may be in memory only, and are part of other states.
  return !isOwned || at.wall >= file.until || /due|waiting|stopped/.test(file.states);
}

/** What an update depends on besides the tokens. */
interface Circumstances {
  readonly isForced: boolean;
  readonly at: Instant;
  readonly owner: AccountIds | 'none' | undefined;
}

function update(
  { why }: PublisherOptions,
  file: UserFile,
  { tokens, verdicts: decide }: Group,
  { isForced, at, owner }: Circumstances,
): void {
  const verdicts = decide();
  const states = verdicts.map(({ state }) => state).join(' ');
  const uid = typeof owner === 'object' ? owner.uid : undefined;
  const isOwned = file.rows !== undefined || owner === undefined || uid === file.owner;
  const isSame =
    !isForced &&
    states === file.states &&
    !isUnsettled(file, at, owner) &&
    areTokens(file.tokens, tokens, 0, tokens.length);
  if (isSame) return;
  const rows = rowsOf(tokens, verdicts, at, why);
  const digest = digestOf(rows);
  if (digest !== file.digest || !isOwned || isForced)
    file.rows = () => rowsOf(tokens, decide(), at, why);
  const expiries = rows.flatMap(({ provider, expired, expires_at: expiresAt }) =>
    provider === null || expired || expiresAt === null ? [] : [expiresAt],
  );
  const until = expiries.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  Object.assign(file, { tokens, states, digest, until });
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
