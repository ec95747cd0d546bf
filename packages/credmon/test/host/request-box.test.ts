// The directory of requests on a real file system: what is taken, what is removed, and
// what nobody but the user who asked can read.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '@credmon/core/base';
import { openRequestBox, type RequestBox } from '../../src/host/request-box.ts';
import {
  tokenRequestText,
  type TokenRequest,
  requestName,
  requestText,
  type RenewalRequest,
} from '../../src/requests/request.ts';
import { MOST_PER_MINUTE, MOST_WAITING, MOST_UNFINISHED } from '../../src/requests/limits.ts';

const isRoot = process.geteuid?.() === 0;
const [ALICE, BOB] = [64_001, 64_002];
let top: string;
let requests: string;
let results: string;
let hidden: string;
let skew: number;
let taken: RenewalRequest[];
let warnings: string[];
let box: RequestBox;
let count = 0;

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'credmon-box-'));
  [requests, results] = [join(top, 'requests'), join(top, 'results')];
  hidden = join(top, 'taken');
  for (const path of [requests, results, hidden]) mkdirSync(path);
  skew = 0;
  [taken, warnings] = [[], []];
  writeFileSync(join(results, 'old'), '');
  box = open();
});
const open = (takeToken?: (request: TokenRequest) => void): RequestBox =>
  openRequestBox({
    requests,
    results,
    taken: hidden,
    clock: {
      now: () => systemClock.now() + skew,
      steady: () => systemClock.steady() + skew,
    },
    take: (request) => taken.push(request),
    takeToken,
    warn: (text) => warnings.push(text.replaceAll(top, '$T')),
  });
afterEach(() => {
  box.close();
  rmSync(top, { recursive: true });
});

const newId = (): string => {
  count += 1;
  return count.toString(16).padStart(32, '0');
};
function put(change: { name?: string; text?: string; mode?: number; uid?: number } = {}): string {
  const path = join(requests, change.name ?? requestName(newId()));
  writeFileSync(path, change.text ?? requestText({ user: 'alice', stem: 'mytok' }));
  chmodSync(path, change.mode ?? 0o600);
  if (change.uid !== undefined) chownSync(path, change.uid, change.uid);
  return path;
}
const left = (): string[] => [requests, hidden].flatMap((path) => readdirSync(path));

it('a request is taken once, with its owner', () => {
  put({ name: requestName('ab'.repeat(16)), ...(isRoot ? { uid: ALICE } : {}) });
  box.look();
  box.look();
  const uid = isRoot ? ALICE : process.geteuid?.();
  expect(taken).toMatchObject([{ id: 'ab'.repeat(16), uid, user: 'alice', stem: 'mytok' }]);
  expect([left(), warnings]).toEqual([[], []]);
});

describe('a request for a token', () => {
  const wish = { provider: 'p', subject: 'a', audience: [], scopes: [], lifetime: undefined };
  const text = tokenRequestText(wish, '/t');
  let tokens: TokenRequest[];
  const issuing = (): void => {
    box.close();
    tokens = [];
    box = open((request) => tokens.push(request));
  };

  it('is ignored by a daemon that issues none, and else taken with its owner', () => {
    put({ text });
    box.look();
    expect([taken, left(), warnings.length]).toEqual([[], [], 1]);
    issuing();
    put({ text, ...(isRoot ? { uid: ALICE } : {}) });
    box.look();
    const uid = isRoot ? ALICE : process.geteuid?.();
    expect(tokens).toMatchObject([{ uid, wish, to: '/t' }]);
    expect([taken, left(), readdirSync(hidden)]).toEqual([[], [], []]);
  });

  it.runIf(isRoot)('counts for the same limit as one for a renewal, and waits for its turn', () => {
    issuing();
    for (let n = 0; n < MOST_PER_MINUTE; n += 1) put({ uid: ALICE });
    box.look();
    put({ text, uid: ALICE });
    put({ text, uid: BOB });
    box.look();
    expect([tokens.map(({ uid }) => uid), left()]).toEqual([[BOB], []]);
    skew = 60;
    box.look();
    expect(tokens.map(({ uid }) => uid)).toEqual([BOB, ALICE]);
    expect(taken).toHaveLength(MOST_PER_MINUTE);
  });
});

it('a result is removed after five minutes, one with a token after 30 s', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    box.close();
    box = open();
    const asker = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
    box.answer({ ...asker, id: 'long' }, 'x');
    box.answer({ ...asker, id: 'short' }, 'x', 'token');
    const names = [0, 29, 31, 299, 301].map((after) => {
      skew = after;
      vi.advanceTimersByTime(5000);
      return readdirSync(results).map((name) => /-(\w+)\./.exec(name)?.[1]);
    });
    const both = expect.toSatisfy((each: unknown[]) => each.length === 2);
    expect(names).toEqual([both, both, ['long'], ['long'], []]);
  } finally {
    vi.useRealTimers();
  }
});

it('is noticed without a look', async () => {
  put();
  await expect.poll(() => taken.length).toBe(1);
});

/** The watches of this process for the directory of requests, as the kernel shows them. */
function watches(): number {
  const inode = statSync(requests).ino.toString(16);
  const texts = readdirSync('/proc/self/fdinfo').map((name) => {
    try {
      return readFileSync(join('/proc/self/fdinfo', name), 'utf8');
    } catch {
      // The directory itself was open.
      return '';
    }
  });
  return texts.join('').split(`ino:${inode} `).length - 1;
}

it('a flood of changes costs one event for each look: the first change ends the watch', async () => {
  expect(watches()).toBe(1);
  box.look();
  const path = put({ name: `.${newId()}.new` });
  await expect.poll(watches, { interval: 5 }).toBe(0);
  for (let n = 0; n < 100; n += 1) writeFileSync(path, String(n));
  box.look();
  expect(watches()).toBe(1);
  put();
  await expect.poll(() => taken.length).toBe(1);
});

describe('is removed, never followed or believed, and logged once for each user', () => {
  const uid = process.geteuid?.() ?? 0;
  const SECRET = 'canary-of-another-user';
  let outside: string;
  beforeEach(() => {
    outside = join(top, 'outside');
    writeFileSync(outside, requestText({ user: 'alice', stem: SECRET }), { mode: 0o600 });
  });
  it.each<readonly [string, (path: string) => void]>([
    ['it is a symbolic link', (path) => symlinkSync(outside, path)],
    ['it is a symbolic link', (path) => symlinkSync('/nowhere', path)],
    ['it has a second name (hard link)', (path) => linkSync(outside, path)],
    ['it is not a regular file', (path) => mkdirSync(path)],
    ['it is not a regular file', (path) => spawnSync('mkfifo', [path])],
    ['its mode gives access to other users', (path) => writeFileSync(path, '', { mode: 0o644 })],
    [
      'it is larger than 4096 bytes',
      (path) => writeFileSync(path, ' '.repeat(4097), { mode: 0o600 }),
    ],
    ['it is not a request', (path) => writeFileSync(path, '{}', { mode: 0o600 })],
    ['it is not a request', (path) => writeFileSync(path, '', { mode: 0o600 })],
  ])('%s', (why, make) => {
    for (let round = 0; round < 2; round += 1) {
      make(join(requests, requestName(newId())));
      box.look();
    }
    expect([taken, left()]).toEqual([[], []]);
    expect(warnings).toEqual([`Ignored in $T/requests: ${why} (user id ${uid})`]);
    expect(readFileSync(outside, 'utf8')).toContain(SECRET);
  });

  it.each(['x', '.hidden', 'a b', `${'0'.repeat(32)}.request~`])('the name %s', (name) => {
    put({ name });
    box.look();
    expect([taken, left()]).toEqual([[], []]);
    expect(warnings).toEqual([
      `Ignored in $T/requests: its name is not that of a request (user id ${uid})`,
    ]);
  });

  it('a directory that is not empty, with all that is in it, and hinders nobody', () => {
    const path = join(requests, requestName(newId()));
    mkdirSync(join(path, 'more', 'and', 'more'), { recursive: true });
    writeFileSync(join(path, 'more', 'large'), 'x');
    symlinkSync(top, join(path, 'more', 'and', 'link'));
    put();
    box.look();
    expect([taken.length, left(), existsSync(outside)]).toEqual([1, [], true]);
    expect(warnings).toEqual([`Ignored in $T/requests: it is not a regular file (user id ${uid})`]);
  });
});

it.each([
  ['bytes that are not UTF-8', 0xff],
  ['the longest name', 0x78],
])('a name of %s is removed, and hinders nobody', (_, byte) => {
  writeFileSync(Buffer.concat([Buffer.from(`${requests}/`), Buffer.alloc(255, byte)]), '');
  put();
  box.look();
  expect([taken.length, left()]).toEqual([1, []]);
});

it('no entry is looked at before it is where nobody else can enter', () => {
  const path = put();
  const file = statSync(path).ino;
  // A name that is taken already in the private directory would be found there.
  const places: string[] = [];
  box.close();
  box = openRequestBox({
    requests,
    results,
    taken: hidden,
    take: () => {
      places.push(...readdirSync(hidden).map((name) => String(statSync(join(hidden, name)).ino)));
    },
    warn: () => undefined,
  });
  box.look();
  expect([places, left()]).toEqual([[String(file)], []]);
});

it('what an earlier daemon left in the private directory is removed', () => {
  box.close();
  mkdirSync(join(hidden, 'a', 'b'), { recursive: true });
  writeFileSync(join(hidden, 'c'), '');
  box = open();
  box.look();
  expect([readdirSync(hidden), warnings]).toEqual([[], []]);
});

it('an unfinished request is left for a minute, an old request is removed without a word', () => {
  const unfinished = put({ name: `.${newId()}.new` });
  const [old, over] = [put(), put({ name: `.${newId()}.new` })];
  const now = Date.now() / 1000;
  utimesSync(old, now - 700, now - 700);
  // Its owner sets this time.
  utimesSync(over, 4e9, 4e9);
  box.look();
  expect([
    taken,
    left()
      .map((name) => join(requests, name))
      .sort(),
    warnings,
  ]).toEqual([[], [unfinished, over].sort(), []]);
  skew = 61;
  box.look();
  expect([taken, left(), warnings]).toEqual([[], [], []]);
});

it('many unfinished requests and names of one user do not starve a request', async () => {
  for (let n = 0; n < 3000; n += 1) {
    put({ name: `.${newId()}.new` });
    writeFileSync(join(requests, String(n)), '');
  }
  put();
  box.look();
  await expect.poll(() => [taken.length, left().length]).toEqual([1, MOST_UNFINISHED]);
});

describe.runIf(isRoot)('each user', () => {
  it('has a number of requests in a minute, waits with some, and hinders no other', () => {
    for (let n = 0; n < MOST_PER_MINUTE + MOST_WAITING + 10; n += 1) put({ uid: ALICE });
    put({ uid: BOB });
    put({ uid: 0 });
    box.look();
    const by = (uid: number): number => taken.filter((request) => request.uid === uid).length;
    expect([ALICE, BOB, 0].map(by)).toEqual([MOST_PER_MINUTE, 1, 1]);
    expect(left()).toEqual([]);
    expect(warnings).toEqual([`Ignored in $T/requests: too many requests (user id ${ALICE})`]);
    skew = 60;
    box.look();
    skew = 120;
    box.look();
    skew = 180;
    box.look();
    expect(by(ALICE)).toBe(MOST_PER_MINUTE + MOST_WAITING);
  });

  it('is the only one who can read the result, which replaces an earlier one', () => {
    const request = { id: newId(), uid: ALICE, gid: BOB, user: 'alice', stem: 'mytok' };
    for (const text of ['one', 'two']) box.answer(request, text);
    const path = join(results, `${ALICE}-${request.id}.json`);
    const { uid, mode } = statSync(path);
    expect([uid, mode & 0o7777, readFileSync(path, 'utf8')]).toEqual([ALICE, 0o400, 'two']);
    expect(readdirSync(results)).toHaveLength(1);
  });
});

it('results of an earlier daemon are removed', () => {
  expect(existsSync(join(results, 'old'))).toBe(false);
});

it('results with a token are removed when the daemon ends, and none is written after it', () => {
  const asker = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  const write = (): void => {
    box.answer({ ...asker, id: 'secret' }, 'x', 'token');
    box.answer({ ...asker, id: 'renewal' }, 'x');
  };
  write();
  expect(readdirSync(results)).toHaveLength(2);
  box.close();
  expect(readdirSync(results)).toEqual([`${asker.uid}-renewal.json`]);
  write();
  expect(readdirSync(results)).toEqual([`${asker.uid}-renewal.json`]);
});

it('a directory that is gone is logged once and ends nothing', () => {
  rmSync(requests, { recursive: true });
  rmSync(results, { recursive: true });
  for (let round = 0; round < 2; round += 1) {
    box.look();
    box.answer({ id: newId(), uid: 0, gid: 0, user: 'alice', stem: 'mytok' }, 'x');
  }
  expect(warnings).toEqual([
    'Cannot read requests in $T/requests: ENOENT',
    'Cannot write the result of a request in $T/results: ENOENT',
  ]);
  mkdirSync(requests);
  mkdirSync(results);
});
