// The session store in files: @fastify/session, timeouts, and permissions.
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FlowLog } from '../../src/flow/ports.ts';
import {
  failedFlow,
  openedFlow,
  promised,
  sessionOf,
  storeContract,
  type StoreWorld,
} from './contract.ts';
import {
  createFileAnswers,
  createFileFlows,
  createFileSessions,
  openFileStores,
} from '../../src/session-store/file-stores.ts';
import {
  cookieKey,
  prepareSessionDirectory,
  pruneSessions,
  sessionPath,
} from '../../src/session-store/session-directory.ts';

let directory: string;
let now: number;
const clock = { now: () => now, steady: () => now, wait: async () => undefined };
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-sessions-'));
  now = 1_800_000_000;
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const LIMITS = { idle: 100, absolute: 250, answer: 60, count: 100 };
const open = () => promised(createFileSessions(directory, clock, LIMITS));

storeContract('files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'credmon-sessions-'));
  const time = { now: () => world.now, steady: () => world.now, wait: async () => undefined };
  const world: StoreWorld = {
    now: 1_800_000_000,
    sessions: (limits) => createFileSessions(folder, time, limits),
    flows: (limits) => createFileFlows(folder, time, limits),
    answers: (limits) => createFileAnswers(folder, time, limits),
    countAnswers: async () => readdirSync(folder).filter((name) => name.endsWith('.answer')).length,
    count: async () => readdirSync(folder).length,
    close: async () => rmSync(folder, { recursive: true, force: true }),
  };
  return world;
});

describe('a session file', () => {
  it.each(['', '{', '[]', '{"createdAt":"x","session":{}}', '{"createdAt":1}'])(
    'a damaged file %j is not a session',
    async (text) => {
      writeFileSync(sessionPath(directory, 'one', 'session'), text);
      expect(await open().get('one')).toBeNull();
    },
  );

  it('is private and named by the hash of its id', async () => {
    await open().set('one', sessionOf('f1'));
    const [name = ''] = readdirSync(directory);
    expect(name).toMatch(/^[0-9a-f]{16}-[0-9a-f]{64}\.session$/);
    expect((statSync(join(directory, name)).mode & 0o7777).toString(8)).toBe('600');
  });
});

it('a session that another process has changed meanwhile is stored again', async () => {
  const [one, other] = [open(), open()];
  await one.set('one', sessionOf('f1'));
  await other.set('one', sessionOf('f2'));
  await one.set('one', sessionOf('f1'));
  expect(await other.get('one')).toEqual(sessionOf('f1'));
});

describe('what a portal remembers of the files', () => {
  beforeEach(() => {
    // Files that changed a moment ago are read each time.
    now = Math.floor(Date.now() / 1000);
    vi.useFakeTimers({ now: Date.now() + 10_000, toFake: ['Date'] });
  });
  afterEach(() => vi.useRealTimers());

  it('R36 a session that another portal ends or changes has ended or changed at once', async () => {
    const [one, other] = [open(), open()];
    await one.set('one', sessionOf('f1'));
    expect([await one.get('one'), await one.get('one')]).toEqual([
      sessionOf('f1'),
      sessionOf('f1'),
    ]);
    await other.set('one', sessionOf('f2'));
    expect(await one.get('one')).toEqual(sessionOf('f2'));
    await other.destroy('one');
    expect(await one.get('one')).toBeNull();
  });

  it('R36 a session expires although its file is as before', async () => {
    const one = open();
    await one.set('one', sessionOf('f1'));
    expect([await one.get('one'), await one.get('one')]).not.toContain(null);
    now += LIMITS.idle;
    expect(await one.get('one')).toBeNull();
  });

  it('R36 an event that another portal appends is read at once, and a log without a file is empty', async () => {
    const [one, other] = [1, 2].map(() => createFileFlows(directory, clock, LIMITS)) as [
      FlowLog,
      FlowLog,
    ];
    await one.append('x', openedFlow);
    const first = await one.read('x');
    expect(await one.read('x')).toBe(first);
    await other.append('x', failedFlow('s'));
    expect(await one.read('x')).toEqual([openedFlow, failedFlow('s')]);
    await other.remove('x');
    expect(await one.read('x')).toEqual([]);
  });
});

describe('a new session', () => {
  it('R36 is a link to the log of its flow until it changes', async () => {
    const stores = openFileStores(directory, clock, LIMITS);
    const sessions = promised(stores.sessions);
    const inodes = (): number[] =>
      [sessionPath(directory, 's', 'session'), sessionPath(directory, 'f', 'flow')].map(
        (path) => statSync(path).ino,
      );
    await stores.flows.append('f', openedFlow);
    await sessions.set('s', sessionOf('f'));
    await stores.flows.append('f', failedFlow('state'));
    // @fastify/session stores it again.
    await sessions.set('s', sessionOf('f'));
    expect(new Set(inodes()).size).toBe(1);
    expect(await sessions.get('s')).toEqual({ flow: 'f' });
    expect(await stores.flows.read('f')).toEqual([openedFlow, failedFlow('state')]);
    const changed = { ...sessionOf('f'), offer: 'k' };
    await sessions.set('s', changed);
    expect(new Set(inodes()).size).toBe(2);
    expect(await open().get('s')).toEqual(changed);
    expect(await stores.flows.read('f')).toEqual([openedFlow, failedFlow('state')]);
  });

  it('R36 ends without its flow, and its flow without it', async () => {
    const stores = openFileStores(directory, clock, LIMITS);
    const sessions = promised(stores.sessions);
    for (const name of ['1', '2', '3']) {
      await stores.flows.append(`f${name}`, openedFlow);
      await sessions.set(`s${name}`, sessionOf(`f${name}`));
    }
    await sessions.destroy('s1');
    await stores.flows.remove('f2');
    expect([await sessions.get('s1'), await sessions.get('s2')]).toEqual([null, { flow: 'f2' }]);
    expect([await stores.flows.read('f1'), await stores.flows.read('f2')]).toEqual([
      [openedFlow],
      [],
    ]);
    now += LIMITS.idle;
    expect(await sessions.get('s3')).toBeNull();
  });

  it.each([
    ['another flow', { flow: 'g' }, 0],
    ['a value more', { flow: 'f', offer: 'k' }, 0],
    ['a flow of some time ago', { flow: 'f' }, 2],
  ])('R36 with %s has a file of its own', async (_title, session, seconds) => {
    const stores = openFileStores(directory, clock, LIMITS);
    await stores.flows.append('f', openedFlow);
    now += seconds;
    await promised(stores.sessions).set('s', { ...sessionOf('f'), ...session });
    expect(statSync(sessionPath(directory, 's', 'session')).nlink).toBe(1);
    expect(await promised(stores.sessions).get('s')).toEqual({ ...sessionOf('f'), ...session });
  });
});

describe('the session directory', () => {
  it('is created with mode 0700 and accepted again', () => {
    const path = join(directory, 'made');
    prepareSessionDirectory(path);
    prepareSessionDirectory(path);
    expect((statSync(path).mode & 0o7777).toString(8)).toBe('700');
  });

  it.each([
    ['that others can read', (path: string) => mkdirSync(path, { mode: 0o755 }), 'chmod 700'],
    ['that is a file', (path: string) => writeFileSync(path, ''), 'not a directory'],
    ['that is a link', (path: string) => symlinkSync(tmpdir(), path), 'not a directory'],
    ['whose parent is missing', () => undefined, 'ENOENT'],
  ])('is rejected when it is one %s', (title, make, reason) => {
    const path = join(directory, title.includes('parent') ? 'a/b' : 'x');
    make(path);
    expect(() => prepareSessionDirectory(path)).toThrow(reason);
  });

  it('has one cookie key for all processes', () => {
    const key = cookieKey(directory);
    expect(Buffer.from(key, 'base64url')).toHaveLength(32);
    expect([cookieKey(directory), readFileSync(join(directory, 'cookie.key'), 'utf8')]).toEqual([
      key,
      key,
    ]);
    expect(readdirSync(directory)).toEqual(['cookie.key']);
    expect((statSync(join(directory, 'cookie.key')).mode & 0o7777).toString(8)).toBe('600');
  });

  it('is pruned of expired files only', async () => {
    cookieKey(directory);
    writeFileSync(join(directory, 'note.txt'), '');
    const flows = createFileFlows(directory, clock, LIMITS);
    await flows.append('old', openedFlow);
    now += 150;
    await flows.append('new', openedFlow);
    await open().set('old', sessionOf('f1'));
    now += 100;
    await open().set('new', sessionOf('f2'));
    expect(pruneSessions(directory, now, LIMITS)).toBe(2);
    expect(readdirSync(directory)).toHaveLength(4);
    expect([await open().get('new'), await flows.read('new')]).toEqual([
      sessionOf('f2'),
      [openedFlow],
    ]);
  });
});
