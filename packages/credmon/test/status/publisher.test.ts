// Which status files are written at a scan, for whom, and which are removed.
import type { AccountIds } from '@credmon/core/config';
import type { RenewalState, TokenSnapshot } from '@credmon/core/credential';
import type { ErrorCode } from '@credmon/core/base';
import { DEFAULT_POLICY, judge, type ManagedToken, type Verdict } from '@credmon/core/renewal';
import { beforeEach, describe, expect, it } from 'vitest';
import { STANDING } from '../../src/providers/standing/ports.ts';
import { createPublisher, type Publisher } from '../../src/status/publisher.ts';
import { statusRow } from '../../src/status/rows.ts';
import { parseUserStatus } from '../../src/status/status-file.ts';

const START = 1_700_000_000;
let wall: number;
let version: number;
let accounts: Map<string, AccountIds | 'none'>;
let found: Map<string, AccountIds>;
let files: Map<string, string>;
let done: string[];
let warnings: string[];
let refuse: (user: string) => string | undefined;
let publisher: Publisher;

const now = (): { wall: number; steady: number } => ({ wall, steady: wall - START });

beforeEach(() => {
  wall = START;
  version = 1;
  accounts = new Map([
    ['alice', { uid: 1001, gid: 100 }],
    ['bob', { uid: 1002, gid: 100 }],
  ]);
  found = new Map();
  files = new Map();
  done = [];
  warnings = [];
  refuse = () => undefined;
  publisher = publisherFor();
});

/** A publisher of a daemon with these ids. */
const publisherFor = (self?: AccountIds): Publisher =>
  createPublisher({
    files: {
      write: (user, text, { uid }) => {
        const why = refuse(user);
        if (why !== undefined) throw new Error(why);
        files.set(user, text);
        done.push(`write ${user} ${uid}`);
      },
      remove: (user) => {
        files.delete(user);
        done.push(`remove ${user}`);
      },
      keepOnly: (keep) => {
        for (const user of files.keys()) if (!keep(user)) files.delete(user);
        done.push('tidy');
      },
    },
    accounts: {
      known: (name) => accounts.get(name),
      lookUp: async (names) => {
        for (const name of names) {
          const ids = found.get(name);
          if (ids) accounts.set(name, ids);
        }
      },
    },
    self,
    directory: '/creds',
    every: 60,
    now,
    why: ({ stem }) => `${stem} is in no list`,
    version: () => version,
    warn: (text) => warnings.push(text),
  });

const token = (user: string, stem: string, from = -10, lifetime = 1000): TokenSnapshot => ({
  user,
  stem,
  top: {
    kind: 'valid',
    value: { opaque: false, refreshToken: 'present' },
    identity: { ino: 1, mtime: START - 20, size: 1 },
  },
  use: {
    kind: 'valid',
    value: { issuedAt: START + from, expiresAt: START + from + lifetime },
    identity: { ino: 2, mtime: START - 10, size: 1 },
  },
  meta: { kind: 'missing' },
  renewal: undefined,
  seen: { wall: START, steady: 0 },
});

const failure = (code: ErrorCode): RenewalState => ({
  attempts: 1,
  last_attempt: START,
  not_before: START + 60,
  stopped: true,
  code,
  message: 'said no',
  basis: '',
});

const managed = (snapshot: TokenSnapshot): ManagedToken => ({
  snapshot,
  provider: 'oauth',
  renewable: { ok: true, value: true },
  basis: () => '',
  policy: DEFAULT_POLICY,
});

/** Scans these tokens; those whose names begin with "un" have no provider. */
async function scan(
  tokens: readonly TokenSnapshot[],
  more: { problems?: string[]; partial?: true } = {},
): Promise<string[]> {
  const verdicts: Verdict[] = tokens
    .filter(({ stem }) => !stem.startsWith('un'))
    .map((snapshot) => judge(managed(snapshot), now()));
  done = [];
  await publisher.scanned({
    type: 'scanned',
    scan: { tokens, keyFiles: [], temporaries: [], problems: [], ...more },
    plan: { verdicts, renew: [], nextIn: 60 },
  });
  // What was looked up meanwhile is written as well.
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

const [alice, bob] = [token('alice', 'mytok_h1'), token('bob', 'mytok')];

it('each user gets the rows of status --json --user, and nobody those of others or of standing tokens', async () => {
  const unknown = token('alice', 'unlisted');
  expect(await scan([unknown, alice, bob, token(STANDING, 'ce')])).toEqual([
    'tidy',
    'write alice 1001',
    'write bob 1002',
  ]);
  expect(parseUserStatus(files.get('alice') ?? '')).toEqual({
    directory: '/creds',
    written_at: START,
    every: 60,
    tokens: [
      statusRow(alice, judge(managed(alice), now()), now()),
      statusRow(unknown, undefined, now(), 'unlisted is in no list'),
    ],
  });
  expect(files.get('bob')).not.toContain('alice');
});

it('standing tokens have a file of the daemon itself, also with failures in memory', async () => {
  publisher = publisherFor({ uid: 0, gid: 0 });
  const failed = { ...token(STANDING, 'ce'), renewal: failure('CLIENT_REFUSED') };
  expect(await scan([alice, failed])).toEqual(['tidy', 'write alice 1001', `write ${STANDING} 0`]);
  const [row] = parseUserStatus(files.get(STANDING) ?? '')?.tokens ?? [];
  expect(row).toMatchObject({ service: 'ce', last_error: { code: 'CLIENT_REFUSED' } });
  expect(await scan([alice])).toEqual([`remove ${STANDING}`]);
});

describe('a file is', () => {
  beforeEach(async () => {
    await scan([alice, bob, token('bob', 'unlisted', -5000)]);
  });
  const both = [alice, bob, token('bob', 'unlisted', -5000)];

  it('not written again while nothing changes', async () => {
    expect(await scan(both)).toEqual([]);
    wall += 60;
    expect(await scan(both)).toEqual([]);
    expect(await scan(both.map((each) => ({ ...each })))).toEqual([]);
  });

  it.each([
    ['is renewed', 0, token('alice', 'mytok_h1', 0)],
    ['is due', 500, alice],
    ['has expired', 2000, alice],
    [
      'could not be renewed',
      0,
      {
        ...alice,
        renewal: {
          attempts: 1,
          last_attempt: START,
          not_before: START + 10,
          stopped: true,
          code: 'GRANT_REVOKED',
          message: 'gone',
          basis: '',
        },
      } as const,
    ],
  ])('written when a token %s, for its user alone', async (_, later, changed) => {
    await scan(both);
    wall += later;
    const others = later === 0 ? both.slice(1) : [];
    const written = await scan([changed, ...others]);
    expect(written.filter((what) => what.includes('alice'))).toEqual(['write alice 1001']);
    expect(await scan([changed, ...others])).toEqual([]);
  });

  it('written again when a waiting token is tried again, and not while it is due', async () => {
    const missing = { ...alice, use: { kind: 'missing' } } as const;
    expect(await scan([missing, bob])).toContain('write alice 1001');
    wall += 7;
    expect((await scan([missing, bob])).filter((what) => what.includes('alice'))).toEqual([]);
  });

  it('written again when the settings change: the next renewal may be at another time', async () => {
    version += 1;
    expect(await scan(both)).toEqual(['write alice 1001', 'write bob 1002']);
    expect(await scan(both)).toEqual([]);
  });

  it('removed when the user has no tokens any more, and not while a directory cannot be read', async () => {
    expect(await scan([bob], { problems: ['cannot read alice'] })).toEqual(['write bob 1002']);
    expect(await scan([bob], { partial: true })).toEqual([]);
    expect(await scan([bob])).toEqual(['remove alice']);
    expect(await scan([bob])).toEqual([]);
  });

  it('removed when the account is gone, and written again for a new account of that name', async () => {
    accounts.set('alice', 'none');
    expect(await scan(both)).toEqual(['remove alice']);
    expect(await scan(both)).toEqual([]);
    accounts.set('alice', { uid: 2001, gid: 100 });
    expect(await scan(both)).toEqual(['write alice 2001']);
    accounts.set('alice', { uid: 3001, gid: 100 });
    expect(await scan(both)).toEqual(['write alice 3001']);
  });
});

it('files of an earlier daemon are removed at the first complete scan', async () => {
  files.set('carl', 'old');
  await scan([alice], { partial: true });
  expect([...files.keys()]).toEqual(['carl', 'alice']);
  await scan([alice]);
  expect([...files.keys()]).toEqual(['alice']);
});

it('a user is not waited for whose account is not known yet', async () => {
  found.set('carl', { uid: 1003, gid: 100 });
  expect(await scan([alice, token('carl', 'mytok')])).toEqual([
    'tidy',
    'write alice 1001',
    'write carl 1003',
  ]);
  expect(await scan([alice, token('dora', 'mytok')])).toEqual(['remove carl']);
});

it('a failure is logged once until everything is written, and is retried', async () => {
  refuse = () => 'ENOSPC: no space left';
  await scan([alice, bob]);
  await scan([alice, bob]);
  expect(warnings).toEqual([
    'Cannot write the status file of alice: ENOSPC: no space left (and 1 more); users may see old states, renewals continue',
  ]);
  refuse = (user) => (user === 'alice' ? 'EDQUOT' : undefined);
  expect(await scan([alice, bob])).toEqual(['write bob 1002']);
  refuse = () => undefined;
  expect(await scan([alice, bob])).toEqual(['write alice 1001']);
  refuse = () => 'EIO';
  await scan([token('alice', 'mytok_h1', 0), bob]);
  expect(warnings.slice(1)).toEqual([
    'Cannot write the status file of alice: EIO; users may see old states, renewals continue',
  ]);
});

describe('R4 if the plan says what has changed', () => {
  const decided: string[] = [];
  const scanOf = async (tokens: TokenSnapshot[], changed: TokenSnapshot[]): Promise<string[]> => {
    const verdictOf = (snapshot: TokenSnapshot): Verdict => {
      decided.push(snapshot.user);
      return judge(managed(snapshot), now());
    };
    done = [];
    decided.length = 0;
    await publisher.scanned({
      type: 'scanned',
      scan: { tokens, keyFiles: [], temporaries: [], problems: [] },
      plan: {
        verdicts: tokens.map((one) => judge(managed(one), now())),
        renew: [],
        nextIn: 60,
        changedTokens: changed,
        verdictOf,
      },
    });
    await new Promise((resolve) => setImmediate(resolve));
    return done.filter((what) => what.startsWith('write') || what.startsWith('remove'));
  };

  it('decides again only on users with a change', async () => {
    const written = async (...args: Parameters<typeof scanOf>): Promise<unknown> => [
      await scanOf(...args),
      [...new Set(decided)],
    ];
    expect(await written([alice, bob], [alice, bob])).toEqual([
      ['write alice 1001', 'write bob 1002'],
      ['alice', 'bob'],
    ]);
    expect(await written([alice, bob], [])).toEqual([[], []]);
    const renewed = token('bob', 'mytok_h2');
    expect(await written([alice, bob, renewed], [renewed])).toEqual([['write bob 1002'], ['bob']]);
    expect(await written([alice, bob], [])).toEqual([['write bob 1002'], ['bob']]);
    expect(await written([alice], [])).toEqual([['remove bob'], []]);
  });

  it('decides once for the first file of a user, and never for a name without an account', async () => {
    accounts.set('carl', 'none');
    const carl = token('carl', 'mytok');
    expect(await scanOf([alice, bob, carl], [alice, bob, carl])).toEqual([
      'write alice 1001',
      'write bob 1002',
      'remove carl',
    ]);
    expect(decided).toEqual(['alice', 'bob']);
    expect([await scanOf([alice, bob, carl], [carl]), decided]).toEqual([[], []]);
    accounts.set('carl', { uid: 1003, gid: 100 });
    expect([await scanOf([alice, bob, carl], []), decided]).toEqual([
      ['write carl 1003'],
      ['carl'],
    ]);
  });
});
