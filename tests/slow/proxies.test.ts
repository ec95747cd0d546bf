// The whole journey through nginx and through Apache with TLS, from the files in
// configs/.
import { makeCertificates } from '@credmon/test-fixtures/servers/certificates';
import { findSecrets, textsBelow } from '@credmon/test-fixtures/files/find-secrets';
import { freePort } from '@credmon/test-fixtures/processes/free-port';
import { httpBrowser } from '@credmon/test-fixtures/browsers/http-browser';
import { confirmAccount } from '@credmon/test-fixtures/browsers/http-login';
import { startIssuer } from '@credmon/test-fixtures/servers/issuer';
import { startPortal } from '@credmon/test-fixtures/servers/portal';
import { startExecutable, type Child } from '@credmon/test-fixtures/processes/processes';
import {
  startProxy,
  type ProxyKind,
  type ProxyOptions,
} from '@credmon/test-fixtures/servers/proxy';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import {
  createWorkspace,
  type Knobs,
  type Workspace,
} from '@credmon/test-fixtures/files/workspace';
import { writeKeyFile } from '@credmon/test-fixtures/files/credd';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from './browser.ts';
import { root } from './daemon-runs.ts';
import { logInAtBoth, renewTwice, type JourneyParts } from './journey.ts';
import { isMissing } from '../support/needs.ts';

let closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.toReversed()) await close();
  closers = [];
});

/** A proxy in front of the built web server, and two issuers that know its address. */
async function behind(
  kind: ProxyKind,
  knobs: Knobs = {},
  remoteUser?: (workspace: Workspace) => Promise<ProxyOptions['remoteUser']>,
): Promise<JourneyParts & { directory: string; ca: string; caFile: string; portal: Child }> {
  // Apache's workers are another user, who must be able to reach the socket.
  const directory = mkdtempSync(join(tmpdir(), 'credmon-proxy-'));
  chmodSync(directory, 0o755);
  closers.push(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'tls'));
  const certificates = makeCertificates(join(directory, 'tls'));
  const [port, socket] = [await freePort(), join(directory, 'web.sock')];
  const workspace = createWorkspace({ webPrefix: `https://localhost:${port}`, knobs });
  closers.push(() => workspace.remove());
  const issuers = [
    await startIssuer({ name: 'issuer A', accessTokenTtl: 60 }),
    await startIssuer({ name: 'issuer B', accessTokenTtl: 60 }),
  ] as const;
  for (const issuer of issuers) closers.push(() => issuer.close());
  const mytok = await workspace.addService('mytok', issuers[0]);
  const other = await workspace.addService('other', issuers[1]);
  const portal = await startPortal(root, workspace, { listen: `unix:${socket}` });
  closers.push(() => portal.stop());
  chmodSync(socket, 0o666);
  const logs = join(directory, 'proxy');
  const user = await remoteUser?.(workspace);
  const proxy = await startProxy(kind, {
    root,
    directory: logs,
    port,
    certificates,
    socket,
    ...(user ? { remoteUser: user } : {}),
  });
  closers.push(() => proxy.stop());
  return {
    workspace,
    mytok,
    other,
    directory: logs,
    ca: certificates.ca,
    caFile: certificates.caFile,
    portal,
  };
}

describe.skipIf(isMissing('chromium', 'nginx', 'apache2', 'openssl'))(
  'the whole journey behind a proxy',
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await startBrowser();
    });
    afterAll(() => browser?.close());

    it.each(['nginx', 'apache'] as const)(
      '%s with TLS, from its file in configs/',
      async (kind) => {
        const parts = await behind(kind);
        expect(await logInAtBoth(browser, parts)).toBe('All done');
        for (const renewals of await renewTwice(parts)) expect(renewals).toBeGreaterThanOrEqual(2);
        const { workspace, mytok, other } = parts;
        const top = readJson(join(workspace.credentialDirectory, 'alice', 'mytok_h1.top'));
        const secrets = {
          'a client secret': mytok.clientSecret,
          'another client secret': other.clientSecret,
          'a refresh token': String(top['refresh_token']),
        };
        expect(
          findSecrets(secrets, { ...textsBelow(parts.directory), portal: parts.portal.output }),
        ).toEqual([]);
      },
    );
  },
);

describe.skipIf(isMissing('nginx', 'apache2', 'openssl'))('a proxy from configs/', () => {
  it.each(['nginx', 'apache'] as const)(
    'R35 R40 R43 %s: safe cookies, and no key, code or state in its log',
    async (kind) => {
      const { workspace, mytok, directory, ca } = await behind(kind);
      const keyFile = writeKeyFile(workspace.credentialDirectory, workspace.webPrefix, [
        workspace.keyFileAd(mytok, 'alice'),
      ]);
      // What a browser says about itself must not reach the web server.
      const lies = {
        'x-forwarded-proto': 'http',
        'x-forwarded-for': '192.0.2.1',
        'x-remote-user': 'root',
      };
      const browser = httpBrowser({ ca, headers: lies });
      const home = await browser.open(keyFile.url);
      expect([home.status, Object.keys(browser.cookies(home.url))]).toEqual([
        200,
        ['__Host-credmon'],
      ]);
      expect(home.headers['strict-transport-security']).toMatch(/max-age=\d{7}/);
      const [form] = home.forms;
      if (!form) throw new Error('no form');
      const atIssuer = await browser.submit(form);
      const [choice] = atIssuer.forms;
      if (!choice) throw new Error('no choice');
      const back = await browser.submit(choice, { name: 'do', value: 'login' });
      expect((await confirmAccount(browser, back)).body).toContain('All done');
      const callback = new URL(back.trail.find((url) => url.includes('/return/')) ?? '')
        .searchParams;
      const logs = textsBelow(directory);
      expect(Object.values(logs).join('\n')).toMatch(/GET \/return\/mytok HTTP/);
      const secrets = {
        key: keyFile.key,
        code: String(callback.get('code')),
        state: String(callback.get('state')),
        session: browser.cookies(home.url)['__Host-credmon'] ?? '',
      };
      expect(findSecrets(secrets, logs)).toEqual([]);
      expect(Object.values(logs).join('\n')).not.toContain('192.0.2.1');
    },
  );
});

const HEADER = 'X-Forwarded-User';
const KNOBS = { CREDMON_WEB_REMOTE_USER_HEADER: HEADER, CREDMON_WEB_LISTEN: 'unix:/not/used' };

/** Runs the built web server with these arguments until it ends. */
async function portalSays(
  workspace: Workspace,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; output: string }> {
  const child = startExecutable(root, 'condor_credmon_webserver', args, {
    ...workspace.environment,
    ...environment,
  });
  return { code: (await child.exited).code, output: child.output };
}

/** The line of `--check` about the proxy. */
async function checked(workspace: Workspace, caFile: string): Promise<string> {
  const args = ['--check', '--json'];
  const { output } = await portalSays(workspace, args, { SSL_CERT_FILE: caFile });
  const findings = JSON.parse(output) as { what: string; state: string; text: string }[];
  const found = findings.find(({ what }) => what === 'proxy');
  return found === undefined ? output : `${found.state} ${found.what}: ${found.text}`;
}

/** The status with which a link for alice is answered. */
type Knock = (headers: Record<string, string>) => Promise<number>;
const knocking =
  ({ workspace, mytok, ca }: Awaited<ReturnType<typeof behind>>): Knock =>
  async (headers) => {
    const { url } = writeKeyFile(workspace.credentialDirectory, workspace.webPrefix, [
      workspace.keyFileAd(mytok, 'alice'),
    ]);
    return (await httpBrowser({ ca, headers }).open(url)).status;
  };

/** The status line that a request gets whose header lines go out as they stand. */
function raw(url: URL, ca: string, lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connectTls({
      host: '127.0.0.1',
      port: Number(url.port),
      servername: 'localhost',
      ca,
    });
    socket.on('error', reject).on('end', () => resolve(text.split('\r\n')[0] ?? ''));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    const head = [`GET ${url.pathname} HTTP/1.1`, `Host: ${url.host}`, ...lines, '', ''];
    socket.write(head.join('\r\n'));
  });
}

/** The status that a request over HTTP/2 gets. */
function overHttp2(url: URL, ca: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(url.origin, { ca });
    session.on('error', reject);
    const stream = session.request({ ':path': url.pathname, ...headers });
    stream.on('response', ({ ':status': status }) => resolve(Number(status)));
    stream.on('close', () => session.close());
    stream.resume();
  });
}

describe.skipIf(isMissing('nginx', 'apache2', 'openssl'))(
  'R33 R40 a REMOTE_USER header of another name',
  () => {
    const printed =
      (kind: ProxyKind, passwords?: Readonly<Record<string, string>>) =>
      async (workspace: Workspace): Promise<NonNullable<ProxyOptions['remoteUser']>> => {
        const { code, output } = await portalSays(workspace, ['--print-proxy-config', kind]);
        expect(code).toBe(0);
        return { include: output, ...(passwords ? { passwords } : {}) };
      };
    const basic = (user: string): Record<string, string> => ({
      authorization: `Basic ${Buffer.from(`${user}:${user}-password`).toString('base64')}`,
    });

    it.each(['nginx', 'apache'] as const)(
      '%s: passes the file of configs/ as it stands, and --check says so',
      async (kind) => {
        const parts = await behind(kind, KNOBS);
        expect(await knocking(parts)({ [HEADER]: 'alice' })).toBe(200);
        expect(await checked(parts.workspace, parts.caFile)).toMatch(
          /^error proxy: https:\S+ passes x-forwarded-user from browsers .*--print-proxy-config/,
        );
      },
    );

    it.each(['nginx', 'apache'] as const)(
      '%s: is refused in every spelling with the printed file, and --check proves it',
      async (kind) => {
        const parts = await behind(kind, KNOBS, printed(kind));
        const { workspace, mytok, ca, caFile } = parts;
        const knock = knocking(parts);
        expect(await knock({ [HEADER]: 'alice' })).toBe(403);
        expect(
          await knock({ authorization: `Basic ${Buffer.from('alice:x').toString('base64')}` }),
        ).toBe(403);
        expect(await checked(workspace, caFile)).toMatch(
          /^ok proxy: https:\S+ replaces x-forwarded-user/,
        );
        const link = (): URL =>
          new URL(
            writeKeyFile(workspace.credentialDirectory, workspace.webPrefix, [
              workspace.keyFileAd(mytok, 'alice'),
            ]).url,
          );
        const lines: readonly (readonly string[])[] = [
          ['x-forwarded-user: alice'],
          ['X-FORWARDED-USER: alice'],
          ['X_Forwarded_User: alice'],
          ['X-Forwarded_User: alice'],
          ['X-Forwarded-User : alice'],
          ['X-Forwarded-User:\talice '],
          [' X-Forwarded-User: alice'],
          ['X-Forwarded-User: bob', 'X-Forwarded-User: alice'],
          ['X-Other: a', ' b', 'X-Forwarded-User: alice'],
          ['Connection: X-Forwarded-User, close', 'X-Forwarded-User: alice'],
        ];
        for (const some of lines) {
          const all = some.some((line) => line.startsWith('Connection'))
            ? some
            : [...some, 'Connection: close'];
          expect([some, await raw(link(), ca, all)]).toEqual([
            some,
            expect.stringMatching(/^HTTP\/1\.1 (?:400|403) /) as string,
          ]);
        }
        expect(await overHttp2(link(), ca, { 'x-forwarded-user': 'alice' })).toBe(403);
      },
    );

    it.each([
      ['nginx', /^warning proxy: not tested .*HTTP status 401/],
      ['apache', /^ok proxy: https:\S+ replaces x-forwarded-user/],
    ] as const)(
      '%s: carries the user whom the proxy has authenticated, whatever the browser says',
      async (kind, said) => {
        const users = { alice: 'alice-password', bob: 'bob-password' };
        const parts = await behind(kind, KNOBS, printed(kind, users));
        const knock = knocking(parts);
        expect([
          await knock(basic('alice')),
          await knock({ ...basic('alice'), [HEADER]: 'bob' }),
          await knock(basic('bob')),
          await knock({ ...basic('bob'), [HEADER]: 'alice' }),
          await knock({ [HEADER]: 'alice' }),
        ]).toEqual([200, 200, 403, 403, 401]);
        // A browser that has the proxy's own header removed harms itself.
        const { url } = writeKeyFile(
          parts.workspace.credentialDirectory,
          parts.workspace.webPrefix,
          [parts.workspace.keyFileAd(parts.mytok, 'alice')],
        );
        const lines = [
          `Authorization: ${basic('bob')['authorization']}`,
          `Connection: close, ${HEADER}`,
        ];
        expect(await raw(new URL(url), parts.ca, [...lines, `${HEADER}: alice`])).toMatch(/ 403 /);
        expect(await checked(parts.workspace, parts.caFile)).toMatch(said);
      },
    );
  },
);
