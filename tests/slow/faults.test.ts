// The built daemon against issuers that fail in every way: pairs of files stay usable,
// and other tokens are renewed in the same pass.
import { crashEnvironment } from '@credmon/test-fixtures/processes/crash-point';
import {
  startIssuer,
  tokenId,
  type FaultName,
  type Issuer,
} from '@credmon/test-fixtures/servers/issuer';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { seedToken, writeToken, type SeededToken } from '@credmon/test-fixtures/files/seed-token';
import { listing, readJson, secondsLeft } from '@credmon/test-fixtures/files/token-files';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import {
  createWorkspace,
  type Service,
  type Workspace,
} from '@credmon/test-fixtures/files/workspace';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { daemonLog, root, runOnce, startDaemon } from './daemon-runs.ts';

let [faulty, good]: Issuer[] = [];
let workspace: Workspace;
let mytok: Service;
let other: Service;
let token: SeededToken;
let neighbour: SeededToken;
let daemon: Child | undefined;

beforeAll(async () => {
  faulty = await startIssuer({ name: 'faulty', accessTokenTtl: 600 });
  good = await startIssuer({ name: 'good', accessTokenTtl: 600 });
});
afterAll(() => Promise.all([faulty?.close(), good?.close()]));
beforeEach(async () => {
  if (!faulty || !good) throw new Error('the issuers did not start');
  await faulty.setFault();
  for (const { log } of [faulty, good]) log.requests.length = 0;
  workspace = createWorkspace({ knobs: { CREDMON_LATE_ANSWER: 1, CREDMON_FIRST_RETRY: 1 } });
  mytok = await workspace.addService('mytok', faulty);
  other = await workspace.addService('other', good);
  token = await seedToken(workspace, mytok, 'alice', 'mytok', { age: 400 });
  neighbour = await seedToken(workspace, other, 'bob', 'other', { age: 400 });
});
afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
  workspace.remove();
});

const now = (): number => Date.now() / 1000;
const textOf = (path: string): string => readFileSync(path, 'utf8');
const renewed = ({ path, accessToken }: SeededToken): boolean =>
  readJson(path('use'))['access_token'] !== accessToken && secondsLeft(path('use'), now()) > 500;
const onceRenewed = (seeded: SeededToken): Promise<true> =>
  waitUntil(() => renewed(seeded), { what: `a renewal of ${seeded.stem}` });

/** The error code that the daemon remembers for the faulty token. */
const remembered = (): unknown =>
  readJson(join(workspace.credentialDirectory, 'alice', '.mytok.renewal'))['code'];

const TRANSIENT: readonly (readonly [FaultName, string])[] = [
  ['refused', 'ISSUER_UNREACHABLE'],
  ['reset', 'ISSUER_UNREACHABLE'],
  ['server-error', 'ISSUER_UNREACHABLE'],
  ['unavailable', 'ISSUER_BUSY'],
  ['too-many', 'ISSUER_BUSY'],
  ['html', 'ISSUER_ANSWER_INVALID'],
  ['empty', 'ISSUER_ANSWER_INVALID'],
  ['not-an-object', 'ISSUER_ANSWER_INVALID'],
  ['no-access-token', 'ISSUER_ANSWER_INVALID'],
  ['huge', 'ISSUER_ANSWER_INVALID'],
  ['redirect', 'ISSUER_ANSWER_INVALID'],
  ['hang', 'ISSUER_UNREACHABLE'],
];

describe('an issuer that fails for a while', () => {
  it.each(TRANSIENT)(
    'R9 R14 R17 %s (%s): the pair stays as it is, the neighbour is renewed, and later this one is, too',
    async (fault, code) => {
      const before = [textOf(token.path('top')), textOf(token.path('use'))];
      if (fault === 'hang') workspace.configure({ CREDMON_REQUEST_TIMEOUT: 5 });
      await faulty?.setFault(fault, { retryAfter: 1 });
      daemon = startDaemon(workspace, ['-d']);
      await onceRenewed(neighbour);
      await waitUntil(
        () => listing(join(workspace.credentialDirectory, 'alice')).includes('.mytok.renewal 600'),
        {
          what: 'a remembered failure',
        },
      );
      expect(remembered()).toBe(code);
      expect([textOf(token.path('top')), textOf(token.path('use'))]).toEqual(before);
      await faulty?.setFault();
      await onceRenewed(token);
      expect(faulty?.log.presentedTwice()).toEqual([]);
      expect(await daemon.stop()).toEqual({ code: 0, signal: null });
    },
  );

  it('R1 hang: the neighbour is renewed within the same pass, while the other request is still waiting', async () => {
    await faulty?.setFault('hang');
    daemon = startDaemon(workspace);
    await onceRenewed(neighbour);
    await faulty?.log.until(({ requests }) => requests.some(({ fault }) => fault === 'hang'));
    // The file is visible a moment before the line that tells of it.
    await waitUntil(() => daemonLog(workspace).includes('Successfully renewed bob/other'), {
      what: 'the line',
    });
    expect(daemonLog(workspace)).not.toContain('alice/mytok');
    await faulty?.setFault('refused');
  });

  it('R44 says a repeating failure once', async () => {
    await faulty?.setFault('server-error');
    daemon = startDaemon(workspace);
    await waitUntil(
      () => (faulty?.log.requests.filter(({ fault }) => fault !== undefined).length ?? 0) >= 3,
      {
        what: 'three attempts',
      },
    );
    await daemon.stop();
    expect(
      daemonLog(workspace)
        .split('\n')
        .filter((line) => line.includes('alice/mytok')),
    ).toHaveLength(1);
  });
});

describe('an issuer that refuses for good', () => {
  it.each([
    ['invalid-grant', 'GRANT_REVOKED', 'submits again'],
    ['invalid-client', 'CLIENT_REFUSED', 'the administrator must act'],
  ] as const)(
    'R9 %s (%s) is not asked again, and the log says what to do',
    async (fault, code, advice) => {
      const before = [textOf(token.path('top')), textOf(token.path('use'))];
      await faulty?.setFault(fault);
      const passes = [await runOnce(workspace), await runOnce(workspace)];
      expect(passes.map(({ exit }) => exit?.code)).toEqual([0, 0]);
      expect(remembered()).toBe(code);
      expect(daemonLog(workspace)).toContain(advice);
      const attempts = faulty?.log.requests.filter((request) => request.fault === fault);
      // A restart gives an administrator's repair at the issuer one chance; what only a
      // login fixes it never tries again.
      expect(attempts).toHaveLength(code === 'GRANT_REVOKED' ? 1 : 2);
      expect([textOf(token.path('top')), textOf(token.path('use'))]).toEqual(before);
      expect(renewed(neighbour)).toBe(true);
    },
  );

  it('R7 a new login is tried at once although the old one was given up', async () => {
    await faulty?.setFault('invalid-grant');
    await runOnce(workspace);
    await faulty?.setFault();
    token = await seedToken(workspace, mytok, 'alice', 'mytok', { age: 350 });
    await runOnce(workspace);
    expect(renewed(token)).toBe(true);
  });
});

describe('an answer that is short of something', () => {
  it('R16 without a refresh token keeps the old one', async () => {
    const top = textOf(token.path('top'));
    await faulty?.setFault('no-refresh-token');
    await runOnce(workspace);
    expect([renewed(token), textOf(token.path('top'))]).toEqual([true, top]);
  });

  it.each(['no-expires-in', 'expires-in-text'] as const)(
    'R15 %s still gives the right expiry',
    async (fault) => {
      await faulty?.setFault(fault);
      await runOnce(workspace);
      const { issued_at: issuedAt, expires_at: expiresAt } = readJson(token.path('use'));
      expect(Number(expiresAt) - Number(issuedAt)).toBe(600);
    },
  );
});

describe('files that are not what they should be', () => {
  const place = {
    empty: (path: string): void => writeToken(path, ''),
    'half a JSON text': (path: string): void => writeToken(path, '{"refresh_token": "abc'),
    'a list': (path: string): void => writeToken(path, '[]'),
    huge: (path: string): void => writeToken(path, `{"refresh_token":"${'x'.repeat(5_000_000)}"}`),
    missing: (path: string): void => rmSync(path),
    'a link': (path: string): void => {
      rmSync(path);
      symlinkSync('/etc/hostname', path);
    },
    'a directory': (path: string): void => {
      rmSync(path);
      mkdirSync(path);
    },
    'a pipe': (path: string): void => {
      rmSync(path);
      execFileSync('mkfifo', [path]);
    },
  };
  const cases = (['top', 'use', 'meta'] as const).flatMap((kind) =>
    Object.entries(place).map(([what, put]) => [kind, what, put] as const),
  );

  it.each(cases)('R3 .%s %s: only this token is affected', async (kind, what, put) => {
    put(token.path(kind));
    const { exit } = await runOnce(workspace);
    expect([exit?.code, renewed(neighbour)]).toEqual([0, true]);
    const chain = faulty?.log.chain(tokenId(token.refreshToken)) ?? [];
    // A spoilt .top leaves nothing to renew with; a directory cannot be replaced, so no
    // refresh token is spent for it.
    const hopeless = kind === 'top' || `${kind} ${what}` === 'use a directory';
    const known =
      kind === 'top' ? token.refreshToken : readJson(token.path('top'))['refresh_token'];
    const usable = hopeless || secondsLeft(token.path('use'), now()) > 500;
    expect([chain.length, tokenId(String(known)), usable]).toEqual([
      hopeless ? 1 : 2,
      chain.at(-1),
      true,
    ]);
  });

  it('keeps what others wrote into .top', async () => {
    const top = { ...readJson(token.path('top')), scopes: 'a, b', note: { kept: [1] } };
    writeToken(token.path('top'), JSON.stringify(top), now() - 400);
    await runOnce(workspace);
    const after = readJson(token.path('top'));
    expect(after).toEqual({ ...top, refresh_token: after['refresh_token'] });
    expect(after['refresh_token']).not.toBe(token.refreshToken);
  });
});

describe('a disk that fails', () => {
  it.each(['EIO', 'EROFS', 'EACCES'] as const)(
    'R13 %s: the old pair stays, and the rotated token is written once the disk works again',
    async (error) => {
      const alice = join(workspace.credentialDirectory, 'alice');
      const before = [textOf(token.path('top')), textOf(token.path('use'))];
      daemon = startDaemon(
        workspace,
        [],
        crashEnvironment(root, alice, join(workspace.root, 'trace'), { at: 2, until: 2, error }),
      );
      await waitUntil(() => daemonLog(workspace).includes('kept in memory'), {
        what: 'the failure',
      });
      expect([textOf(token.path('top')), textOf(token.path('use'))]).toEqual(before);
      await onceRenewed(neighbour);
      await onceRenewed(token);
      const chain = faulty?.log.chain(tokenId(token.refreshToken));
      expect(tokenId(String(readJson(token.path('top'))['refresh_token']))).toBe(chain?.at(-1));
      expect(chain).toHaveLength(2);
    },
  );

  it('R13 ENOSPC: the reserved space is freed, and the rotated token is written at once', async () => {
    const alice = join(workspace.credentialDirectory, 'alice');
    const trace = join(workspace.root, 'trace');
    const disk = crashEnvironment(root, alice, trace, { at: 2, until: 2, error: 'ENOSPC' });
    daemon = startDaemon(workspace, [], disk);
    await onceRenewed(token);
    const chain = faulty?.log.chain(tokenId(token.refreshToken));
    expect(tokenId(String(readJson(token.path('top'))['refresh_token']))).toBe(chain?.at(-1));
    expect(chain).toHaveLength(2);
    // The first temporary file met the full disk, the second one the freed space.
    expect(readFileSync(trace, 'utf8').match(/^open \.mytok\.top\./gm)).toHaveLength(2);
    expect(daemonLog(workspace)).not.toContain('kept in memory');
  });

  it('R11 R13 ENOSPC for .use alone: the rotated .top is written at once, so that a kill does not lose it', async () => {
    const alice = join(workspace.credentialDirectory, 'alice');
    const before = textOf(token.path('use'));
    // The sixth change is the opening of the temporary .use.
    const disk = crashEnvironment(root, alice, join(workspace.root, 'trace'), {
      at: 6,
      until: 6,
      error: 'ENOSPC',
    });
    daemon = startDaemon(workspace, [], disk);
    await waitUntil(() => daemonLog(workspace).includes('kept in memory'), { what: 'the failure' });
    daemon.signal('SIGKILL');
    await daemon.exited;
    expect(daemonLog(workspace)).toMatch(
      /alice\/mytok: mytok\.top was written, then the disk failed \(ENOSPC\); unchanged: mytok\.use/,
    );
    expect(textOf(token.path('use'))).toBe(before);
    const chain = (): readonly string[] => faulty?.log.chain(tokenId(token.refreshToken)) ?? [];
    expect(chain()).toHaveLength(2);
    expect(tokenId(String(readJson(token.path('top'))['refresh_token']))).toBe(chain().at(-1));
    await runOnce(workspace);
    expect([renewed(token), chain().length, faulty?.log.presentedTwice()]).toEqual([true, 3, []]);
  });
});
