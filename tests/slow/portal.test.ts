// The built web server over plain HTTP: names that land on disk, and requests that are
// refused with nothing written.
import * as credd from '@credmon/test-fixtures/files/credd';
import { loginThroughPortal } from '@credmon/test-fixtures/browsers/browserless-login';
import { httpBrowser } from '@credmon/test-fixtures/browsers/http-browser';
import { visibleText } from '@credmon/test-fixtures/browsers/html-forms';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { choosePrefix, startPortal } from '@credmon/test-fixtures/servers/portal';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { listing, readJson } from '@credmon/test-fixtures/files/token-files';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import {
  createWorkspace,
  type Service,
  type Workspace,
} from '@credmon/test-fixtures/files/workspace';
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { root } from './daemon-runs.ts';

let issuer: Issuer;
let workspace: Workspace;
let service: Service;
let portal: Child;

beforeAll(async () => {
  issuer = await startIssuer();
  workspace = createWorkspace();
  await choosePrefix(workspace);
  service = await workspace.addService('mytok', issuer);
  portal = await startPortal(root, workspace);
});
afterAll(async () => {
  await portal?.stop();
  workspace?.remove();
  await issuer?.close();
});
beforeEach(() => {
  for (const name of readdirSync(workspace.credentialDirectory))
    rmSync(join(workspace.credentialDirectory, name), { recursive: true });
});

const writeKey = (content: readonly credd.KeyFileAd[] | string, key?: string): credd.KeyFile =>
  credd.writeKeyFile(workspace.credentialDirectory, workspace.webPrefix, content, key);
/** Waits for a line in the portal's log after its first `from` characters. */
const logged = (from: number, pattern: RegExp): Promise<RegExpExecArray> =>
  waitUntil(() => pattern.exec(portal.output.slice(from)), { what: `a log line ${pattern}` });
const below = (user: string): string => join(workspace.credentialDirectory, user);

describe('a login through the portal', () => {
  it('puts handle h1 of mytok for alice@pool.example into alice/mytok_h1.*, with what the key file said', async () => {
    const request = {
      handle: 'h1',
      scopes: 'read, storage.read:/',
      audience: 'https://data.example',
    };
    const { url } = writeKey([workspace.keyFileAd(service, 'alice@pool.example', request)]);
    const pages = await loginThroughPortal(url);
    expect(visibleText(pages.at(-1)?.body ?? '')).toContain('All done');
    expect(readdirSync(workspace.credentialDirectory)).toEqual(['alice']);
    expect(listing(below('alice'))).toEqual([
      'mytok_h1.meta 400',
      'mytok_h1.top 400',
      'mytok_h1.use 400',
    ]);
    const top = readJson(join(below('alice'), 'mytok_h1.top'));
    expect(top).toEqual({
      refresh_token: expect.stringMatching(/^[\w-]{20,}$/),
      scopes: request.scopes,
      audience: request.audience,
    });
    const use = readJson(join(below('alice'), 'mytok_h1.use'));
    expect(use).toMatchObject({
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'read storage.read:/',
    });
    expect(Object.keys(use)).toEqual(
      expect.arrayContaining(['access_token', 'issued_at', 'expires_at']),
    );
    expect(use).not.toHaveProperty('refresh_token');
    expect(readJson(join(below('alice'), 'mytok_h1.meta'))).toEqual({
      client_id: 'mytok-client',
      client_secret: 'mytok-secret',
      token_url: issuer.tokenUrl,
      signed_in_at: expect.any(Number),
      use_refresh_token: true,
    });
  });

  it('R41 that is cancelled ends with an explanation and writes nothing', async () => {
    const { url } = writeKey([workspace.keyFileAd(service, 'alice')]);
    const browser = httpBrowser();
    const home = await browser.open(url);
    const [form] = home.forms;
    if (!form) throw new Error('no form');
    const atIssuer = await browser.submit(form);
    const [choice] = atIssuer.forms;
    if (!choice) throw new Error('no choice');
    const back = await browser.submit(choice, { name: 'do', value: 'cancel' });
    expect([back.status, visibleText(back.body)]).toEqual([
      403,
      expect.stringContaining('You were not signed in'),
    ]);
    expect(readdirSync(workspace.credentialDirectory)).toHaveLength(1);
  });
});

describe('R37 R38 a request that CredD would not make', () => {
  const ad = (change: Partial<credd.KeyFileAd>): string =>
    credd.keyFileText([{ ...workspace.keyFileAd(service, 'alice'), ...change }]);
  const REFUSED: readonly (readonly [string, () => string])[] = [
    ['a handle that climbs out', () => ad({ Handle: '../../bob/x' })],
    ['a handle that is ..', () => ad({ Handle: '..' })],
    ['a LocalUser with a slash', () => ad({ LocalUser: 'alice/../bob' })],
    ['a LocalUser that is ..', () => ad({ LocalUser: '..' })],
    ['a provider with a slash', () => ad({ Provider: '../mytok' })],
    ['an injected line', () => ad({ Scopes: 'x"\nLocalUser = Handle\nZZ = 1', Handle: 'bob' })],
    ['an injected line in quotes', () => ad({ Scopes: 'x\nLocalUser = "bob' })],
    ['a missing attribute', () => ad({}).replace(/^ClientId.*\n/m, '')],
    ['an attribute twice', () => `${ad({})}handle = "h2"\n`],
    ['two users', () => `${ad({})}\n${ad({ LocalUser: 'bob', Handle: 'x' })}`],
    ['an http token URL beyond this machine', () => ad({ TokenUrl: 'http://op.example/token' })],
    ['a new-syntax ad', () => '[Provider = "mytok"; LocalUser = "alice"]'],
    ['nothing', () => ''],
  ];

  it.each(REFUSED)('%s: a clear page, a log line, and nothing written', async (_what, content) => {
    const { key, url } = writeKey(content());
    const seen = portal.output.length;
    const page = await httpBrowser().open(url);
    expect([page.status, page.forms]).toEqual([422, []]);
    expect(visibleText(page.body)).toContain('This request was rejected');
    await logged(seen, /invalid key file: line \d+: /);
    expect(readdirSync(workspace.credentialDirectory)).toEqual([key]);
  });

  const KEY = 'ab'.repeat(32);
  const write = (path: string): void => writeFileSync(path, ad({}));
  const unknown = { status: 404, line: /KEY_FILE_MISSING|no-such-page/ };
  const UNKNOWN: readonly {
    readonly what: string;
    readonly key: string;
    readonly place: (path: string) => void;
    readonly status: number;
    readonly line: RegExp;
  }[] = [
    { what: 'a key of 65 digits', key: `${KEY}a`, place: write, ...unknown },
    { what: 'a key of 63 digits', key: KEY.slice(1), place: write, ...unknown },
    { what: 'a key in capitals', key: KEY.toUpperCase(), place: write, ...unknown },
    { what: 'a key that nobody wrote', key: KEY, place: () => undefined, ...unknown },
    {
      what: 'a path instead of a key',
      key: '..%2f..%2fetc%2fpasswd',
      place: () => undefined,
      ...unknown,
    },
    {
      what: 'a key that is a directory',
      key: KEY,
      place: (path) => mkdirSync(path),
      status: 422,
      line: /not a regular file/,
    },
    {
      what: 'a key that is a link',
      key: KEY,
      place: (path) => {
        write(join(workspace.root, 'elsewhere'));
        symlinkSync(join(workspace.root, 'elsewhere'), path);
      },
      status: 422,
      line: /link/,
    },
  ];

  it.each(UNKNOWN)(
    '%s: a clear page, a log line, and nothing written',
    async ({ key, place, status, line }) => {
      place(join(workspace.credentialDirectory, key));
      const before = readdirSync(workspace.credentialDirectory);
      const seen = portal.output.length;
      const page = await httpBrowser().open(`${workspace.webPrefix}/key/${key}`);
      expect([page.status, page.forms]).toEqual([status, []]);
      expect(visibleText(page.body)).toMatch(/no longer valid|Page not found|request was rejected/);
      await logged(seen, line);
      expect(readdirSync(workspace.credentialDirectory)).toEqual(before);
    },
  );
});
