// What `--check` says about the portal that runs: whether it uses the settings on disk.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startServer } from '../../src/server.ts';
import { checkRunning, noteSettings } from '../../src/session-store/running-portal.ts';
import type { Settings } from '../../src/settings/settings.ts';
import { VERSION } from '../../src/version.ts';
import { providerWith, settingsFor } from '../support/portal.ts';

let directory: string;
let settings: Settings;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-running-'));
  mkdirSync(join(directory, 'creds'), { mode: 0o770 });
  settings = settingsFor(directory, {
    listen: { kind: 'unix', path: join(directory, 'socket') },
    providers: new Map([['MYTOK', providerWith({ issuer: 'https://issuer.example' })]]),
  });
});
afterEach(() => rmSync(directory, { recursive: true }));

const file = (): string => join(settings.sessionDirectory, 'portal.json');
const shown = (change: Partial<Settings> = {}): string => {
  const { state, text } = checkRunning({ ...settings, ...change });
  return `${state}: ${text}`;
};
const silent = () => undefined;
const log = { info: silent, warn: silent, error: silent, debug: silent };

const NONE = 'ok: none is seen: the checks are for the files on disk';
const OTHER =
  /^warning: process \d+ uses another configuration than the one on disk, read at \S+Z; fix: systemctl reload condor_credmon_webserver \(or, without systemd: kill -HUP \d+\)$/;
const SAME = /^ok: process \d+ uses the configuration on disk, read at \S+Z$/;

it('a portal writes which settings it uses, also after a reload, until it ends', async () => {
  expect(shown()).toBe(NONE);
  const server = await startServer(settings, log);
  expect(shown()).toMatch(SAME);
  expect(shown({ listen: { kind: 'fd', descriptor: 3 } })).toMatch(SAME);
  const providers = new Map([['MYTOK', providerWith({ issuer: 'https://other.example' })]]);
  expect(shown({ providers })).toMatch(OTHER);
  expect(shown({ contact: 'the new help desk' })).toMatch(OTHER);
  await server.reload({ ...settings, providers });
  expect([shown({ providers }), shown()]).toEqual([
    expect.stringMatching(SAME),
    expect.stringMatching(OTHER),
  ]);
  await server.close();
  expect([shown(), existsSync(file())]).toEqual([NONE, false]);
});

it('the file of a portal that ends does not belong to the next one', async () => {
  const server = await startServer(settings, log);
  writeFileSync(file(), JSON.stringify({ pid: 1, version: VERSION, settings: 'x', readAt: 0 }));
  await server.close();
  expect(shown()).toMatch(/^warning: process 1 uses .* read at 1970-01-01T00:00:00Z;/);
});

it.each([
  ['nothing', '', NONE],
  ['a dead process', { pid: 2 ** 30 }, NONE],
  ['no number', { pid: 'x' }, NONE],
  ['a time that is none', { readAt: 1e300 }, NONE],
  ['a version with a line feed', { version: 'a\nb' }, NONE],
  [
    'another version',
    { version: '0.0.1' },
    `warning: process ${process.pid} is version 0.0.1, this is ${VERSION}; fix: systemctl restart condor_credmon_webserver`,
  ],
])('a file with %s', (_, change, expected) => {
  mkdirSync(settings.sessionDirectory, { mode: 0o700 });
  noteSettings(settings, 0);
  expect(shown()).toMatch(SAME);
  const facts = { pid: process.pid, version: VERSION, settings: 'x', readAt: 0 };
  writeFileSync(file(), change === '' ? '' : JSON.stringify({ ...facts, ...(change as object) }));
  expect(shown()).toBe(expected);
});

it.each([
  ['a link', () => (renameSync(file(), `${file()}.kept`), symlinkSync(`${file()}.kept`, file()))],
  ['a FIFO', () => (rmSync(file()), execFileSync('mkfifo', [file()]))],
  ['a large file', () => writeFileSync(file(), ' '.repeat(5000), { flag: 'a' })],
])('%s is not read: the directory may belong to another user', (_, replace) => {
  mkdirSync(settings.sessionDirectory, { mode: 0o700 });
  noteSettings(settings, 0);
  replace();
  expect(shown()).toBe(NONE);
});

it('with Redis no file is written, and --check says so', () => {
  const sessionStore = { url: 'redis://127.0.0.1' } as unknown as Settings['sessionStore'];
  noteSettings({ ...settings, sessionStore }, 0);
  expect(shown({ sessionStore })).toBe(
    'ok: not seen if sessions are in Redis: the checks are for the files on disk',
  );
});
