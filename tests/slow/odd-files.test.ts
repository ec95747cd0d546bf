// A credential directory full of what does not belong there: one daemon, and the good
// tokens beside it are renewed as ever.
import { startIssuer, tokenId, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { startExecutable, type Child } from '@credmon/test-fixtures/processes/processes';
import { seedToken, writeToken, type SeededToken } from '@credmon/test-fixtures/files/seed-token';
import { readJson, secondsLeft } from '@credmon/test-fixtures/files/token-files';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import {
  createWorkspace,
  type Service,
  type Workspace,
} from '@credmon/test-fixtures/files/workspace';
import { spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { daemonLog, root, startDaemon } from './daemon-runs.ts';

const GOOD = ['good0', 'good1', 'good2', 'good3', 'good4'];
const CANARY = 'canary-that-no-program-may-read';
let issuer: Issuer;
let workspace: Workspace;
let service: Service;
let good: readonly SeededToken[];
let daemon: Child | undefined;
let sockets: Server[];

beforeEach(async () => {
  sockets = [];
  issuer = await startIssuer({ accessTokenTtl: 600 });
  workspace = createWorkspace({ knobs: { CREDMON_FIRST_RETRY: 1 } });
  service = await workspace.addService('mytok', issuer);
  good = await Promise.all(
    GOOD.map((user) => seedToken(workspace, service, user, 'mytok', { age: 500 })),
  );
});
afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
  for (const socket of sockets) socket.close();
  await issuer.close();
  workspace.remove();
});

const isFresh = ({ path, accessToken }: SeededToken): boolean =>
  readJson(path('use'))['access_token'] !== accessToken &&
  secondsLeft(path('use'), Date.now() / 1000) > 500;
/** The same where `.use` may be anything. */
function isUsable(token: SeededToken): boolean {
  try {
    return isFresh(token);
  } catch {
    // Not an object, or not a file.
    return false;
  }
}
const isComplete = (): boolean =>
  existsSync(join(workspace.credentialDirectory, 'CREDMON_COMPLETE'));

/**
 * Two passes: all that was due is `done`, and a login after the first pass is noticed.
 */
async function passTwice(done: () => boolean = () => true): Promise<void> {
  daemon = startDaemon(workspace);
  await waitUntil(() => good.every(isFresh) && isComplete(), { what: 'the good tokens' });
  const second = await seedToken(workspace, service, 'good5', 'mytok', { age: 500 });
  daemon.signal('SIGHUP');
  await waitUntil(() => isFresh(second) && done(), { what: 'the second pass' });
  expect(await daemon.stop()).toEqual({ code: 0, signal: null });
  expect(issuer.log.presentedTwice()).toEqual([]);
  expectPlainLog();
}

/** Each line is HTCondor's, none was forged, and no file outside was read into it. */
function expectPlainLog(): void {
  const lines = daemonLog(workspace).split('\n').slice(0, -1);
  expect(
    lines.filter(
      (line) => !/^\d\d\/\d\d\/\d\d \d\d:\d\d:\d\d [\t\x20-\x7e\u00a1-\uffff]*$/.test(line),
    ),
  ).toEqual([]);
  expect(daemonLog(workspace)).not.toContain(CANARY);
}

/**
 * What may be in a file that should be a JSON object: every text is put into `.top`,
 * `.use` and `.meta` of a user of its own.
 */
const DAMAGED: Readonly<Record<string, string | Uint8Array>> = {
  empty: '',
  blank: ' \n',
  'NUL bytes': '\0'.repeat(64),
  'half an object': '{"refresh_token": "abc',
  'a list': '["refresh_token"]',
  'a number': '7',
  'a text': '"refresh_token"',
  null: 'null',
  'invalid UTF-8': Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d),
  'UTF-16': Buffer.from('\ufeff{"access_token":"x"}', 'utf16le'),
  'two objects': '{"refresh_token":"a"}{"refresh_token":"b"}',
  'an empty object': '{}',
  'wrong types':
    '{"refresh_token":7,"access_token":{},"expires_at":[],"client_id":1,"client_secret":null,"token_url":false}',
  'a prototype': '{"__proto__":{"refresh_token":"x","access_token":"x"},"constructor":7}',
  'times that are none':
    '{"expires_at":1e400,"issued_at":-1e308,"expires_in":"soon","refresh_token":"y"}',
  'an address that is none': '{"refresh_token":"x","token_url":"file:///etc/passwd"}',
  'lines and colours': '{"refresh_token":"a\\n01/01/26 00:00:00 forged\\u001b[31m"}',
  'deep nesting': '{"a":'.repeat(100_000),
  'many keys': JSON.stringify(
    Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`k${n}`, n])),
  ),
  'five megabytes': `{"refresh_token":"${'x'.repeat(5_000_000)}"}`,
};

describe('R3 damaged credential files', () => {
  it('affect only their own tokens, and a .use that is damaged is replaced', async () => {
    const damaged: { kind: string; what: string; token: SeededToken }[] = [];
    for (const [n, [what, text]] of Object.entries(DAMAGED).entries())
      for (const kind of ['top', 'use', 'meta'] as const) {
        const token = await seedToken(workspace, service, `bad${n}${kind}`, 'mytok', { age: 500 });
        rmSync(token.path(kind));
        writeFileSync(token.path(kind), text, { mode: 0o400 });
        damaged.push({ kind, what, token });
      }
    await passTwice(() => damaged.every(({ kind, token }) => kind === 'top' || isUsable(token)));
    const usable = damaged.map(({ kind, what, token }) => {
      const chain = issuer.log.chain(tokenId(token.refreshToken));
      return { kind, what, renewals: chain.length - 1, fresh: kind === 'top' || isUsable(token) };
    });
    const expected = damaged.map(({ kind, what }) => ({
      kind,
      what,
      renewals: kind === 'top' ? 0 : 1,
      fresh: true,
    }));
    expect(usable).toEqual(expected);
  });
});

/**
 * What may be in place of a file; each gets the path, which is free, and a file outside
 * the directory.
 */
const KINDS: Readonly<Record<string, (path: string, outside: string) => void>> = {
  'a FIFO': (path) => void spawnSync('mkfifo', [path]),
  'a link to a file outside': (path, outside) => symlinkSync(outside, path),
  'a link to nothing': (path) => symlinkSync('/no/such/file', path),
  'a link to itself': (path) => symlinkSync(path, path),
  'a link to /dev/zero': (path) => symlinkSync('/dev/zero', path),
  'a device': (path) => void spawnSync('mknod', [path, 'c', '1', '5']),
  'a directory': (path) => mkdirSync(path),
  'a file of 1 GiB': (path) => {
    writeFileSync(path, '', { mode: 0o400 });
    truncateSync(path, 2 ** 30);
  },
  'a file of another owner': (path) => {
    writeFileSync(path, '{}', { mode: 0o400 });
    chownSync(path, 65_534, 65_534);
  },
  'a hard link to a file outside': (path, outside) => linkSync(`${outside}.text`, path),
  'a socket': (path) => void sockets.push(createServer().listen(path)),
};
const FILES = [
  'mytok.top',
  'mytok.use',
  'mytok.meta',
  '.mytok.renewal',
  '.mytok.issued',
  '.mytok.top.d1.1.credmon-tmp',
] as const;

describe('R3 R21 special files in place of credential files', () => {
  it('are neither followed nor waited for; the tokens beside them are renewed', async () => {
    const outside = join(workspace.root, 'outside');
    writeFileSync(outside, `{"refresh_token":"${CANARY}"}`, { mode: 0o600 });
    // A whole word would be a bare token.
    writeFileSync(`${outside}.text`, `{"${CANARY}`, { mode: 0o600 });
    const seeded: { file: string; what: string; token: SeededToken }[] = [];
    for (const [n, [what, put]] of Object.entries(KINDS).entries())
      for (const [at, file] of FILES.entries()) {
        const token = await seedToken(workspace, service, `odd${n}x${at}`, 'mytok', { age: 500 });
        const path = join(workspace.credentialDirectory, token.user, file);
        rmSync(path, { force: true });
        put(path, outside);
        seeded.push({ file, what, token });
      }
    const seen = (): unknown[] =>
      [outside, `${outside}.text`].map((path) => [
        lstatSync(path).mtimeMs,
        readFileSync(path, 'utf8'),
      ]);
    const before = seen();
    // A directory cannot be replaced by a file.
    const broken = seeded.filter(
      ({ file, what }) => file === 'mytok.use' && what !== 'a directory',
    );
    await passTwice(() => broken.every(({ token }) => isUsable(token)));
    expect(seen()).toEqual(before);
    expect(issuer.log.requests.filter(({ presented }) => presented === tokenId(CANARY))).toEqual(
      [],
    );
  });
});

const CREDD_NAMES = [
  '-rf',
  '-',
  'a=b',
  'a+b',
  '__proto__',
  'constructor',
  'x..x',
  'A',
  '9',
  'u'.repeat(190),
];
const OTHER_NAMES = `a b|%s|%n%n|ünï|..x|.hidden|$(id)|\`id\`|a'b|a"b|a;b|a\\b|*|?|~|alice@pool`
  .split('|')
  .concat('new\nline', 'tab\there', 'a|b', '\u001b[31mred', '\u202egnp', 'v'.repeat(255));

describe('R3 R19 odd names of users and services', () => {
  it("those in CredD's alphabet are served, the others left alone, and no line or colour is forged", async () => {
    workspace.configure({
      LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens',
      LOCAL_CREDMON_PRIVATE_KEY: join(workspace.root, 'private.pem'),
      LOCAL_CREDMON_PUBLIC_KEY: join(workspace.root, 'public.pem'),
      LOCAL_CREDMON_TOKEN_AUDIENCE: 'ANY',
    });
    const file = (...parts: readonly string[]): string =>
      join(workspace.credentialDirectory, ...parts);
    for (const user of [...CREDD_NAMES, ...OTHER_NAMES]) {
      mkdirSync(file(user), { mode: 0o700 });
      writeToken(file(user, 'scitokens.top'), 'x');
    }
    const handles = [
      'scitokens_h=1',
      'scitokens_a b',
      'scitokens_%s',
      'scitokens_\n',
      'scitokens_\u001b[31m',
    ];
    for (const stem of handles) writeToken(file('A', `${stem}.top`), 'x');
    await passTwice();
    const served = (user: string): boolean => existsSync(file(user, 'scitokens.use'));
    expect(CREDD_NAMES.filter((user) => !served(user))).toEqual([]);
    expect(
      OTHER_NAMES.filter((user) => served(user) || readdirSync(file(user)).length !== 1),
    ).toEqual([]);
    const uses = readdirSync(file('A')).filter((name) => name.endsWith('.use'));
    expect(uses.sort()).toEqual(['scitokens.use', 'scitokens_h=1.use']);
    const status = startExecutable(root, 'condor_credmon', ['status'], workspace.environment);
    await status.exited;
    expect(['\u001b', '\u202e'].filter((character) => status.output.includes(character))).toEqual(
      [],
    );
  });
});
