// The session store: what @fastify/session relies on, time-outs, and what strangers find in the directory.
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
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileSessions } from '../../src/session-store/file-sessions.ts';
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

const session = (flow: string) => ({ cookie: { originalMaxAge: null }, flow });

function open() {
  const store = createFileSessions(directory, clock, { idle: 100, absolute: 250 });
  return {
    get: promisify(store.get.bind(store)),
    set: promisify(store.set.bind(store)),
    destroy: promisify(store.destroy.bind(store)),
  };
}

describe('a session store', () => {
  it('gives back what was set, also to another process, and only under its id', async () => {
    await open().set('one', session('f1'));
    expect(await open().get('one')).toEqual(session('f1'));
    expect(await open().get('two')).toBeNull();
  });

  it('replaces and destroys', async () => {
    const store = open();
    await store.set('one', session('f1'));
    await store.set('one', session('f2'));
    expect(await store.get('one')).toEqual(session('f2'));
    await store.destroy('one');
    await store.destroy('one');
    expect(await store.get('one')).toBeNull();
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each([
    ['unused for less than the idle time-out', [99], true],
    ['unused for the idle time-out', [100], false],
    ['used now and then', [90, 90], true],
    ['used until the absolute time-out', [90, 90, 70], false],
  ])('R34 keeps a session %s', async (_title, waits, found) => {
    const store = open();
    await store.set('one', session('f1'));
    let last: unknown;
    for (const wait of waits) {
      now += wait;
      last = await store.get('one');
    }
    expect(last).toEqual(found ? session('f1') : null);
    expect(readdirSync(directory)).toHaveLength(found ? 1 : 0);
  });

  it('R34 a new content does not prolong the absolute time-out', async () => {
    const store = open();
    await store.set('one', session('f1'));
    for (let step = 0; step < 3; step += 1) {
      now += 80;
      await store.set('one', session(`g${step}`));
    }
    now += 10;
    expect(await store.get('one')).toBeNull();
  });

  it.each(['', '{', '[]', '{"createdAt":"x","session":{}}', '{"createdAt":1}'])(
    'a damaged file %j is no session',
    async (text) => {
      writeFileSync(sessionPath(directory, 'one', 'session'), text);
      expect(await open().get('one')).toBeNull();
    },
  );

  it('names files by the hash of the id, private', async () => {
    await open().set('one', session('f1'));
    const [name = ''] = readdirSync(directory);
    expect(name).toMatch(/^[0-9a-f]{64}\.session$/);
    expect((statSync(join(directory, name)).mode & 0o7777).toString(8)).toBe('600');
  });
});

describe('the session directory', () => {
  it('is made with mode 0700 and accepted again', () => {
    const path = join(directory, 'made');
    prepareSessionDirectory(path);
    prepareSessionDirectory(path);
    expect((statSync(path).mode & 0o7777).toString(8)).toBe('700');
  });

  it.each([
    ['that others may read', (path: string) => mkdirSync(path, { mode: 0o755 }), 'chmod 700'],
    ['that is a file', (path: string) => writeFileSync(path, ''), 'not a directory'],
    ['that is a link', (path: string) => symlinkSync(tmpdir(), path), 'not a directory'],
    ['whose parent is missing', () => undefined, 'ENOENT'],
  ])('is refused when it is one %s', (title, make, reason) => {
    const path = join(directory, title.includes('parent') ? 'a/b' : 'x');
    make(path);
    expect(() => prepareSessionDirectory(path)).toThrow(reason);
  });

  it('has one cookie key for all processes', () => {
    const key = cookieKey(directory);
    expect(Buffer.from(key, 'base64url')).toHaveLength(32);
    expect([cookieKey(directory), readFileSync(join(directory, 'cookie.key'), 'utf8')]).toEqual([key, key]);
    expect(readdirSync(directory)).toEqual(['cookie.key']);
    expect((statSync(join(directory, 'cookie.key')).mode & 0o7777).toString(8)).toBe('600');
  });

  it('is pruned of what is too old, and of nothing else', async () => {
    cookieKey(directory);
    writeFileSync(join(directory, 'note.txt'), '');
    await open().set('old', session('f1'));
    now += 50;
    await open().set('new', session('f2'));
    expect(pruneSessions(directory, now)).toBe(1);
    expect(readdirSync(directory)).toHaveLength(3);
    expect(await open().get('new')).toEqual(session('f2'));
  });
});
