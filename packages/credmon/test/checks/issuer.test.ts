// What `check` says of an issuer that it does not reach: in words, with a fix.
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  makeCertificates,
  type CertificateOptions,
} from '@credmon/test-fixtures/servers/certificates';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loginChecks } from '../../src/checks/logins.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

let on: CheckBench;
const endings: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  on = checkBench();
});
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
  on.close();
});

/** The last finding about a provider whose issuer has this certificate. */
async function finding(
  options: CertificateOptions,
  knobs: (caFile: string) => Record<string, string>,
): Promise<string> {
  const folder = join(on.root, 'tls');
  mkdirSync(folder);
  const { keyFile, certificateFile, caFile } = makeCertificates(folder, options);
  const tls = { key: readFileSync(keyFile), cert: readFileSync(certificateFile) };
  const server = createServer(tls, (_, response) => void response.end());
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  endings.push(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  const findings = await on.findings(
    {
      mytok_CLIENT_ID: 'me',
      mytok_TOKEN_URL: `https://localhost:${port}/token`,
      CREDMON_mytok_ISSUER: `https://localhost:${port}`,
      ...knobs(caFile),
    },
    loginChecks,
  );
  return (findings.at(-1) ?? '').replaceAll(`:${port}`, ':PORT');
}

const trusted = (caFile: string): Record<string, string> => ({ AUTH_SSL_CLIENT_CAFILE: caFile });

it.each<[string, CertificateOptions, (caFile: string) => Record<string, string>, RegExp]>([
  [
    'an expired certificate: its date',
    { until: '20240201030405Z' },
    trusted,
    /: certificate expired on 2024-02-01 03:04:05 UTC \(CERT_HAS_EXPIRED\); fix: renew it at localhost, /,
  ],
  [
    'another name: the names in the certificate',
    { names: 'DNS:login.example' },
    trusted,
    /: certificate is for login\.example, not for localhost \(ERR_TLS_CERT_ALTNAME_INVALID\); fix: /,
  ],
  [
    'an unknown authority: its name, and the knob for it',
    {},
    () => ({}),
    /: certificate authority "CN=credmon test authority" not trusted \(\w+\); fix: .*AUTH_SSL_CLIENT_CAFILE$/,
  ],
  [
    'a refused connection: host and port',
    {},
    () => ({ CREDMON_mytok_ISSUER: 'https://localhost:1' }),
    /: connection refused by localhost, port 1 \(ECONNREFUSED\); fix: correct host and port/,
  ],
])('R45 %s', async (_, options, knobs, expected) => {
  const text = await finding(options, knobs);
  expect(text).toMatch(/^error mytok \(login\): cannot reach https:\/\/localhost:(PORT|1): /);
  expect(text).toMatch(expected);
});
