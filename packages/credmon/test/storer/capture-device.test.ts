// The device login and an issuer that somebody has tampered with: no secret goes to a
// thief (R26), and no wider token is stored (R30).
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PATIENT_LIMITS } from '@credmon/test-fixtures/clocks/patience';
import { createSend, isCoded } from '@credmon/core/base';
import { loadConfig } from '@credmon/core/config';
import { makeCertificates } from '@credmon/test-fixtures/servers/certificates';
import {
  startMaliciousIssuer,
  type MaliciousIssuer,
} from '@credmon/test-fixtures/servers/malicious-issuer';
import { misleadNames } from '@credmon/test-fixtures/servers/misled-names';
import {
  startCaptureServer,
  type CaptureServer,
} from '@credmon/test-fixtures/servers/capture-server';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deviceLogin } from '../../src/storer/device-login.ts';
import { parseRequest } from '../../src/storer/arguments.ts';
import { readStorerSettings } from '../../src/storer/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'credmon-thief-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const made = makeCertificates(folder);
const tls = {
  key: readFileSync(made.keyFile, 'utf8'),
  cert: readFileSync(made.certificateFile, 'utf8'),
};
const secrets = { 'device code': 'CANARY-device-code' };

let thief: CaptureServer;
let issuer: MaliciousIssuer;
const endings: (() => unknown)[] = [];
beforeEach(async () => {
  thief = await startCaptureServer();
  issuer = await startMaliciousIssuer();
  endings.push(
    () => thief.close(),
    () => issuer.close(),
  );
});
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

/**
 * A login at `at` with all that is printed and stored; the error's code and text where it
 * fails. No time passes.
 */
async function login(
  at: MaliciousIssuer = issuer,
  request = 'svc',
): Promise<{ code: string; text: string; printed: string; stored: unknown[] }> {
  const env = {
    svc_CLIENT_ID: 'ap',
    svc_TOKEN_URL: at.tokenUrl,
    CREDMON_svc_ISSUER: at.url,
    CREDMON_ALLOW_LOOPBACK_HTTP: 'true',
  };
  const config = loadConfig({
    subsystem: 'TOOL',
    env: {
      CONDOR_CONFIG: 'ONLY_ENV',
      ...Object.fromEntries(Object.entries(env).map(([name, value]) => [`_CONDOR_${name}`, value])),
    },
    facts: { fullHostname: () => 'ap.example' },
  });
  const settings = readStorerSettings(config).device('svc');
  if (!settings) throw new Error('svc has no client');
  const { send, close } = createSend({
    ...PATIENT_LIMITS,
    maxBodyBytes: 100_000,
    ca: made.ca,
  });
  const printed: string[] = [];
  const stored: unknown[] = [];
  const keep = async (_: unknown, value: unknown): Promise<void> => void stored.push(value);
  const clock = { now: () => Date.now() / 1000, steady: () => 0, wait: async () => undefined };
  const context = {
    send,
    clock,
    terminal: { descriptor: 1, print: (text: string) => void printed.push(text) },
    storeCred: { query: async () => 'no' as const, add: keep, addUse: keep },
    unicode: false,
  };
  const outcome = await deviceLogin(context, parseRequest(request), settings).then(
    () => ({ code: 'stored', text: '' }),
    (error: unknown) => {
      if (!isCoded(error)) throw error;
      return { code: error.code, text: error.message };
    },
  );
  await close();
  return { ...outcome, printed: printed.join('\n'), stored };
}

describe('R26 device', () => {
  it('only the configured issuer is asked, and user input only describes the token', async () => {
    const evil = `${thief.url}/token`;
    const { code, stored } = await login(
      issuer,
      `svc&audience=${evil}&scopes=${evil},token_url=${evil}&options=${evil}`,
    );
    expect([code, stored.length, thief.requests]).toEqual(['stored', 2, []]);
    expect(issuer.paths).toEqual([
      'GET /.well-known/openid-configuration',
      'POST /device',
      'POST /token',
    ]);
  });

  it.each(
    [301, 302, 303, 307, 308].flatMap((status) =>
      ['/.well-known/openid-configuration', '/device', '/token'].map(
        (path) => [status, path] as const,
      ),
    ),
  )('a redirect (%d) of %s: not followed', async (status, path) => {
    issuer.become({ redirect: { path, status, to: thief.url + path } });
    const { code, stored } = await login();
    expect([code, stored, thief.requests]).toEqual([expect.stringMatching(/^ISSUER_/), [], []]);
  });

  it.each(['device_authorization_endpoint', 'token_endpoint'])(
    'metadata with a %s on another server: rejected',
    async (name) => {
      issuer.become({ metadata: { [name]: `${thief.url}/device` } });
      const { code, text, stored } = await login();
      expect([code, stored, thief.requests]).toEqual(['ENDPOINT_REFUSED', [], []]);
      expect(text).toContain('is on another server');
    },
  );

  it.each([
    ['another issuer', { issuer: 'https://thief.example' }, 'ISSUER_MISMATCH'],
    [
      'a device endpoint with user information',
      { device_authorization_endpoint: 'https://a@b.example/' },
      'ENDPOINT_REFUSED',
    ],
  ])('metadata that names %s: no secret leaves', async (_, metadata, expected) => {
    issuer.become({ metadata });
    expect((await login()).code).toBe(expected);
    expect(issuer.paths.filter((path) => path.startsWith('POST'))).toEqual([]);
  });

  it.each([
    ['issuer.example', 'ISSUER_UNREACHABLE'],
    ['localhost', 'stored'],
  ])(
    'https://%s leads to a server with a certificate for localhost: %s',
    async (host, expected) => {
      const there = await startMaliciousIssuer({ host, tls });
      endings.push(() => there.close(), misleadNames('127.0.0.1'));
      const { code } = await login(there);
      expect([code, there.paths.length > 0]).toEqual([expected, expected === 'stored']);
    },
  );

  it('http://localhost resolves to another machine: no secret is sent there', async () => {
    const there = await startMaliciousIssuer({ host: 'localhost' });
    endings.push(() => there.close(), misleadNames('0.0.0.0'));
    const { code } = await login(there);
    expect([code, there.paths]).toEqual(['ISSUER_UNREACHABLE', []]);
  });

  it('no error and no prompt shows a secret', async () => {
    issuer.become({ redirect: { path: '/token', status: 307, to: `${thief.url}/token` } });
    const { text, printed } = await login();
    expect(text + printed).not.toContain('CANARY');
    expect(thief.carried(secrets)).toEqual([]);
  });
});

describe('R30 device', () => {
  it('more than requested is rejected, and nothing is stored', async () => {
    issuer.become({ token: { scope: 'read write admin' } });
    const { code, text, stored } = await login(issuer, 'svc&scopes=read,write');
    expect([code, stored]).toEqual(['SCOPE_WIDENED', []]);
    expect(text).toContain('(admin)');
  });

  it('fewer are stored, with a note', async () => {
    issuer.become({ token: { scope: 'write' } });
    const { code, printed } = await login(issuer, 'svc&scopes=read,write');
    expect([code, printed]).toEqual([
      'stored',
      expect.stringContaining('the issuer did not grant read'),
    ]);
  });
});
