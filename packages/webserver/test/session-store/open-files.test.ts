// The work for a new session does not grow with the number of open sessions; and a file
// system without hard links.
import { mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import type * as FileSystem from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { MAX_OPEN_PER_USER } from '../../src/flow/flow.ts';
import { openFileStores, type Stores } from '../../src/session-store/file-stores.ts';
import { sessionPath } from '../../src/session-store/session-directory.ts';
import { openedFlow, promised, sessionOf } from './contract.ts';

/** The calls of readdirSync and statSync since the last reset. */
const calls = vi.hoisted(() => ({ readdir: 0, stat: 0 }));
/** The error of link(2); `undefined`: it works. */
const links: { code: string | undefined } = vi.hoisted(() => ({ code: undefined }));
vi.mock('node:fs', async (load) => {
  const real = await load<typeof FileSystem>();
  return {
    ...real,
    readdirSync: ((...args: Parameters<typeof real.readdirSync>) => {
      calls.readdir += 1;
      return real.readdirSync(...args);
    }) as typeof real.readdirSync,
    statSync: ((...args: Parameters<typeof real.statSync>) => {
      calls.stat += 1;
      return real.statSync(...args);
    }) as typeof real.statSync,
    linkSync: (from: string, to: string) => {
      if (links.code !== undefined)
        throw Object.assign(new Error('link'), { code: links.code, syscall: 'link' });
      real.linkSync(from, to);
    },
  };
});

let directory: string;
let now: number;
const clock = { now: () => now, steady: () => now, wait: async () => undefined };
const idOf = (owner: number, name: string): string => owner.toString(16).padStart(16, '0') + name;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-open-'));
  now = 1_800_000_000;
});
afterEach(() => {
  links.code = undefined;
  rmSync(directory, { recursive: true, force: true });
});

const open = (count = 100_000): Stores =>
  openFileStores(directory, clock, { idle: 1800, absolute: 28_800, answer: 60, count });

/** Creates the files of sessions and flows of other owners. */
function fill(count: number): void {
  for (let owner = 1; owner <= count; owner += 1)
    for (const kind of ['session', 'flow']) {
      const tag = owner.toString(16).padStart(16, 'f');
      const path = join(directory, `${tag}-${'ab'.repeat(32)}.${kind}`);
      writeFileSync(path, '');
      utimesSync(path, now, now);
    }
}

/** Opens ten lists as the key route does, and returns what was called. */
async function callsOfTen(stores: Stores): Promise<typeof calls> {
  const sessions = promised(stores.sessions);
  Object.assign(calls, { readdir: 0, stat: 0 });
  for (let owner = 1; owner <= 10; owner += 1) {
    await stores.flows.append(idOf(owner, 'flow'), openedFlow);
    await sessions.set(idOf(owner, 'session'), sessionOf(idOf(owner, 'flow')));
  }
  return { ...calls };
}

it.each([200, 800])(
  'ten lists that are opened beside %i others read the directory once',
  async (others) => {
    fill(others);
    expect(await callsOfTen(open())).toEqual({ readdir: 1, stat: 0 });
  },
);

it('a small directory is read once a second', async () => {
  fill(10);
  const stores = open();
  expect((await callsOfTen(stores)).readdir).toBe(1);
  now += 1;
  await stores.flows.append(idOf(20, 'x'), openedFlow);
  await stores.flows.append(idOf(21, 'x'), openedFlow);
  expect(calls.readdir).toBe(2);
});

it('R40 the limit for each user holds in a large directory, and counts what another process removed', async () => {
  fill(200);
  const { flows } = open();
  for (let number = 0; number < MAX_OPEN_PER_USER + 5; number += 1) {
    now += 1;
    await flows.append(idOf(7, `flow ${number}`), openedFlow);
  }
  const own = (): string[] =>
    readdirSync(directory).filter((name) => name.startsWith(idOf(7, '')) && name.endsWith('.flow'));
  expect(own()).toHaveLength(MAX_OPEN_PER_USER);
  expect(await flows.read(idOf(7, 'flow 4'))).toEqual([]);
  expect(await flows.read(idOf(7, 'flow 5'))).toEqual([openedFlow]);
  for (const name of own()) rmSync(join(directory, name));
  await flows.append(idOf(7, 'again'), openedFlow);
  expect(own()).toHaveLength(1);
});

it('R40 at the limit of a user, the files of the others are not looked at for each new one', async () => {
  fill(200);
  const { flows } = open();
  const append = async (number: number): Promise<void> => {
    now += 1;
    await flows.append(idOf(7, `flow ${number}`), openedFlow);
  };
  for (let number = 0; number < MAX_OPEN_PER_USER + 5; number += 1) await append(number);
  Object.assign(calls, { readdir: 0, stat: 0 });
  for (let number = 0; number < 10; number += 1) await append(100 + number);
  expect(calls).toEqual({ readdir: 0, stat: 10 });
});

it('R40 a file whose time is some milliseconds later than expected is looked at once', async () => {
  fill(200);
  const { flows } = open();
  const first = idOf(7, 'flow 0');
  for (let number = 0; number < MAX_OPEN_PER_USER; number += 1) {
    now += 1;
    await flows.append(idOf(7, `flow ${number}`), openedFlow);
  }
  const path = sessionPath(directory, first, 'flow');
  const noted = now - MAX_OPEN_PER_USER + 1;
  utimesSync(path, noted, noted + 0.005);
  Object.assign(calls, { readdir: 0, stat: 0 });
  await flows.append(idOf(7, 'new'), openedFlow);
  expect(calls).toEqual({ readdir: 0, stat: 1 });
  expect(await flows.read(first)).toEqual([]);
});

it('R40 a file that was used meanwhile is not the oldest', async () => {
  fill(200);
  const { flows } = open();
  for (let number = 0; number < MAX_OPEN_PER_USER + 5; number += 1) {
    now += 1;
    await flows.append(idOf(7, `flow ${number}`), openedFlow);
  }
  now += 1;
  await flows.append(idOf(7, 'flow 5'), {
    type: 'failed',
    at: 2,
    state: 's',
    code: 'LOGIN_REFUSED',
  });
  await flows.append(idOf(7, 'new'), openedFlow);
  expect(await flows.read(idOf(7, 'flow 5'))).toHaveLength(2);
  expect(await flows.read(idOf(7, 'flow 6'))).toEqual([]);
});

it('R40 files of other processes count after a minute, and at once when the store seems full', async () => {
  fill(200);
  const stores = open(202);
  await stores.flows.append(idOf(1, 'x'), openedFlow);
  for (const name of readdirSync(directory).slice(0, 50)) rmSync(join(directory, name));
  await stores.flows.append(idOf(2, 'x'), openedFlow);
  await stores.flows.append(idOf(3, 'x'), openedFlow);
  expect(await stores.flows.read(idOf(3, 'x'))).toEqual([openedFlow]);
  fill(400);
  now += 60;
  await expect(stores.flows.append(idOf(4, 'x'), openedFlow)).rejects.toMatchObject({
    code: 'SESSION_STORE_FULL',
  });
});

it.each(['EPERM', 'ENOTSUP'])('the store needs no hard links, after %s', async (code) => {
  links.code = code;
  const stores = open();
  expect(stores.cookieSecret).toHaveLength(43);
  expect(open().cookieSecret).toBe(stores.cookieSecret);
  await stores.flows.append(idOf(1, 'flow'), openedFlow);
  await promised(stores.sessions).set(idOf(1, 'session'), sessionOf(idOf(1, 'flow')));
  expect(await promised(open().sessions).get(idOf(1, 'session'))).toMatchObject({
    flow: idOf(1, 'flow'),
  });
  expect(readdirSync(directory).filter((name) => name.endsWith('-tmp'))).toEqual([]);
});

it('an empty key signs no cookie', () => {
  writeFileSync(join(directory, 'cookie.key'), '');
  expect(open).toThrow(/cookie\.key is empty; fix: start the portal again/);
  expect(readFileSync(join(directory, 'cookie.key'), 'utf8')).toBe('');
});
