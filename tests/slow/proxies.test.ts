// The whole journey through nginx and through Apache with TLS, from the files in configs/.
import { makeCertificates } from '@credmon/test-fixtures/certificates';
import { findSecrets, textsBelow } from '@credmon/test-fixtures/canaries';
import { freePort } from '@credmon/test-fixtures/free-port';
import { httpBrowser } from '@credmon/test-fixtures/http-browser';
import { confirmAccount } from '@credmon/test-fixtures/http-login';
import { startIssuer } from '@credmon/test-fixtures/issuer';
import { startPortal } from '@credmon/test-fixtures/portal';
import type { Child } from '@credmon/test-fixtures/processes';
import { startProxy, type ProxyKind } from '@credmon/test-fixtures/proxy';
import { readJson } from '@credmon/test-fixtures/token-files';
import { createWorkspace } from '@credmon/test-fixtures/workspace';
import { writeKeyFile } from '@credmon/test-fixtures/credd';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
): Promise<JourneyParts & { directory: string; ca: string; portal: Child }> {
  // Apache's workers are another user, who must be able to reach the socket.
  const directory = mkdtempSync(join(tmpdir(), 'credmon-proxy-'));
  chmodSync(directory, 0o755);
  closers.push(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'tls'));
  const certificates = makeCertificates(join(directory, 'tls'));
  const [port, socket] = [await freePort(), join(directory, 'web.sock')];
  const workspace = createWorkspace({ webPrefix: `https://localhost:${port}` });
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
  const proxy = await startProxy(kind, { root, directory: logs, port, certificates, socket });
  closers.push(() => proxy.stop());
  return { workspace, mytok, other, directory: logs, ca: certificates.ca, portal };
}

describe.skipIf(isMissing('chromium', 'nginx', 'apache2', 'openssl'))(
  'the whole journey behind a proxy',
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await startBrowser();
    });
    afterAll(() => browser?.close());

    it.each(['nginx', 'apache'] as const)('%s with TLS, from its file in configs/', async (kind) => {
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
      expect(findSecrets(secrets, { ...textsBelow(parts.directory), portal: parts.portal.output })).toEqual(
        [],
      );
    });
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
      const lies = { 'x-forwarded-proto': 'http', 'x-forwarded-for': '192.0.2.1', 'x-remote-user': 'root' };
      const browser = httpBrowser({ ca, headers: lies });
      const home = await browser.open(keyFile.url);
      expect([home.status, Object.keys(browser.cookies(home.url))]).toEqual([200, ['__Host-credmon']]);
      expect(home.headers['strict-transport-security']).toMatch(/max-age=\d{7}/);
      const [form] = home.forms;
      if (!form) throw new Error('no form');
      const atIssuer = await browser.submit(form);
      const [choice] = atIssuer.forms;
      if (!choice) throw new Error('no choice');
      const back = await browser.submit(choice, { name: 'do', value: 'login' });
      expect((await confirmAccount(browser, back)).body).toContain('All done');
      const callback = new URL(back.trail.find((url) => url.includes('/return/')) ?? '').searchParams;
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
