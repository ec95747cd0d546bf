// What `check` says of clients that act without a browser, and of token programs, before
// a job fails.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { makeCertificates } from '@credmon/test-fixtures/servers/certificates';
import { startMaliciousIssuer } from '@credmon/test-fixtures/servers/malicious-issuer';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { clientChecks } from '../../src/checks/config.ts';
import { programChecks } from '../../src/checks/installation.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());
let on: CheckBench;
beforeEach(() => {
  on = checkBench();
});
afterEach(() => on.close());

it('R45 shows for each client its use, and problems with its secret and issuer', async () => {
  const findings = await on.findings(
    {
      CLIENT_CREDMON_PROVIDER_NAMES: 'svc',
      CLIENT_CREDMON_CLIENT_ID: 'ap',
      CLIENT_CREDMON_CLIENT_SECRET_FILE: on.file('svc', 'CANARY', 0o644),
      CLIENT_CREDMON_ISSUER: issuer.url,
      CLIENT_CREDMON_AUTHZ_TEMPLATE: 'read:/{username}',
      EXCHANGE_CREDMON_PROVIDER_NAMES: 'swap, good',
      EXCHANGE_CREDMON_CLIENT_ID: 'public',
      EXCHANGE_CREDMON_swap_ISSUER: `${issuer.url}/`,
      EXCHANGE_CREDMON_good_ISSUER: issuer.url,
      EXCHANGE_CREDMON_good_TOKEN_AUDIENCE: 'https://data.example',
    },
    clientChecks,
  );
  expect(findings).toEqual([
    'ok svc (client credentials): fetches a token for each user that requests one, as client ap (post): scopes "read:/{username}"',
    'error svc (client credentials): its secret file $R/svc can be read by others; fix: chmod go-rwx $R/svc',
    `ok svc (client credentials): ${issuer.url} is reachable, and its metadata matches`,
    'ok swap (token exchange): exchanges the token that a user stored, as client public (post): the scopes that the user requested; then refreshes it',
    'ok swap (token exchange): has no secret: a public client',
    `error swap (token exchange): issuer mismatch: configured "${issuer.url}/", metadata says "${issuer.url}" (they must match exactly)`,
    'ok good (token exchange): exchanges the token that a user stored, as client public (post): the scopes that the user requested, for https://data.example; then refreshes it',
    'ok good (token exchange): has no secret: a public client',
    `ok good (token exchange): ${issuer.url} is reachable, and its metadata matches`,
    expect.stringMatching(
      `^ok good \\(token exchange\\): the keys of ${issuer.url} can be fetched \\(`,
    ),
  ]);
  expect(issuer.log.requests).toEqual([]);
});

it('R26 metadata with an endpoint on another server: an error if it would be used, otherwise a warning', async () => {
  const crooked = await startMaliciousIssuer({
    metadata: { token_endpoint: 'https://elsewhere.example/token' },
  });
  const knobs = {
    CLIENT_CREDMON_PROVIDER_NAMES: 'svc',
    CLIENT_CREDMON_CLIENT_ID: 'ap',
    CLIENT_CREDMON_CLIENT_SECRET_FILE: on.file('svc', 'CANARY'),
    CLIENT_CREDMON_ISSUER: crooked.url,
  };
  const third = async (more: Record<string, string>): Promise<string | undefined> =>
    (await on.findings({ ...knobs, ...more }, clientChecks))[2];
  expect([
    await third({}),
    await third({ CLIENT_CREDMON_TOKEN_URL: crooked.tokenUrl }),
    await third({ CREDMON_ENDPOINT_ORIGINS: 'https://elsewhere.example' }),
  ]).toEqual([
    expect.stringMatching(/^error svc .* is on another server \(https:\/\/elsewhere.example\);/),
    expect.stringMatching(/^warning svc .* is on another server/),
    expect.stringMatching(/^ok svc .* its metadata matches/),
  ]);
  await crooked.close();
});

it("R26 PELICAN_CREDMON_CA_FILE is trusted for Pelican's issuers only", async () => {
  const made = makeCertificates(on.root);
  const tls = {
    key: readFileSync(made.keyFile, 'utf8'),
    cert: readFileSync(made.certificateFile, 'utf8'),
  };
  const secure = await startMaliciousIssuer({ tls });
  const found = async (kind: string): Promise<string> => {
    const knobs = {
      [`${kind}_CREDMON_PROVIDER_NAMES`]: 'osdf',
      [`${kind}_CREDMON_CLIENT_ID`]: 'ap',
      [`${kind}_CREDMON_ISSUER`]: secure.url,
      PELICAN_CREDMON_CA_FILE: made.caFile,
    };
    return (await on.findings(knobs, clientChecks)).slice(2).join('\n');
  };
  expect([await found('EXCHANGE'), await found('PELICAN')]).toEqual([
    expect.stringMatching(/^error osdf .*(SIGNATURE|CERT)/),
    expect.stringMatching(/^ok osdf .* is reachable, .*\nok osdf .* can be fetched/),
  ]);
  await secure.close();
});

it('a key for private_key_jwt must be valid', async () => {
  const pem = execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout'], {
    encoding: 'utf8',
  });
  const knobs = (path: string): Record<string, string> => ({
    CLIENT_CREDMON_PROVIDER_NAMES: 'svc',
    CLIENT_CREDMON_CLIENT_ID: 'ap',
    CLIENT_CREDMON_CLIENT_SECRET_FILE: path,
    CLIENT_CREDMON_ISSUER: issuer.url,
    CLIENT_CREDMON_CLIENT_AUTH: 'private_key_jwt',
  });
  const second = async (path: string): Promise<string | undefined> =>
    (await on.findings(knobs(path), clientChecks))[1];
  expect(await second(on.file('key', pem))).toBe(
    'ok svc (client credentials): its private key in $R/key is readable and can sign',
  );
  expect(await second(on.file('bad', 'CANARY'))).toMatch(
    /^error svc \(client credentials\): \$R\/bad: the client key is not a PEM private key/,
  );
});

it('a token program is checked and never run', async () => {
  const ran = `${on.root}/ran`;
  const program = on.file('bin/program', `#!/bin/sh\ntouch ${ran}\n`, 0o755);
  const findings = await on.findings(
    {
      EXEC_CREDMON_PROVIDER_NAMES: 'own, bad',
      EXEC_CREDMON_own_COMMAND: program,
      EXEC_CREDMON_bad_COMMAND: '/no/such/program',
    },
    programChecks,
  );
  expect(findings).toEqual([
    'ok own (token program): runs $R/bin/program for each token, for at most 30 s',
    'ok bad (token program): runs /no/such/program for each token, for at most 30 s',
    expect.stringMatching(/^error bad \(token program\): .* cannot be found/),
  ]);
  expect(existsSync(ran)).toBe(false);
});

it('R1 ten issuers are asked concurrently: none answers before all are asked', async () => {
  const waiting: (() => void)[] = [];
  const server = createServer((socket) => {
    socket.once('data', () => {
      waiting.push(() =>
        socket.end('HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'),
      );
      if (waiting.length === 10) for (const answer of waiting) answer();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const names = Array.from({ length: 10 }, (_, index) => `p${index}`);
  const findings = await on.findings(
    {
      CLIENT_CREDMON_PROVIDER_NAMES: names.join(', '),
      CLIENT_CREDMON_CLIENT_ID: 'ap',
      CLIENT_CREDMON_CLIENT_SECRET_FILE: on.file('secret', 'CANARY'),
      ...Object.fromEntries(
        names.map((name) => [`CLIENT_CREDMON_${name}_ISSUER`, `http://127.0.0.1:${port}/${name}`]),
      ),
    },
    clientChecks,
  );
  const errors = findings.filter((line) => line.startsWith('error'));
  expect(errors.map((line) => /503/.test(line))).toEqual(names.map(() => true));
  await new Promise((resolve) => server.close(resolve));
});

it('R45 a client that only a standing token uses is not for jobs', async () => {
  const knobs = {
    CLIENT_CREDMON_PROVIDER_NAMES: 'both',
    ...Object.fromEntries(
      ['both', 'frontend'].flatMap((name) => [
        [`CLIENT_CREDMON_${name}_CLIENT_ID`, 'ap'],
        [`CLIENT_CREDMON_${name}_CLIENT_SECRET_FILE`, on.file('secret', 'CANARY')],
        [`CLIENT_CREDMON_${name}_ISSUER`, 'http://127.0.0.1:1'],
      ]),
    ),
    CLIENT_CREDMON_both_CLIENT_ID: 'change-me',
    CREDMON_STANDING_TOKENS: 'ce1, ce2',
    CREDMON_STANDING_ce1_PROVIDER: 'both',
    CREDMON_STANDING_ce1_PATH: `${on.root}/ce1`,
    CREDMON_STANDING_ce2_PROVIDER: 'frontend',
    CREDMON_STANDING_ce2_PATH: `${on.root}/ce2`,
    CREDMON_STANDING_ce2_SCOPE: 'compute.read compute.create',
    CREDMON_STANDING_ce2_AUDIENCE: 'ce2.example',
  };
  const findings = await on.findings(knobs, clientChecks);
  expect(findings).toContain(
    'warning both (client credentials): its CLIENT_ID is the placeholder change-me of the example: set the client id that the issuer gave',
  );
  expect(findings.filter((line) => line.includes('serves') || line.includes('fetches'))).toEqual([
    "ok both (client credentials): fetches a token for each user that requests one, as client change-me (post): the issuer's default scopes",
    "ok both (client credentials): also serves the standing token ce1 (the issuer's default scopes)",
    'ok frontend (client credentials): serves the standing token ce2 (scopes "compute.read compute.create", for ce2.example), as client ap (post); not for jobs',
  ]);
});

it('R45 a program that is not executable', async () => {
  const program = on.file('bin/program', '#!/bin/sh\n', 0o644);
  const knobs = { EXEC_CREDMON_PROVIDER_NAMES: 'own', EXEC_CREDMON_own_COMMAND: program };
  expect((await on.findings(knobs, programChecks))[1]).toBe(
    'error own (token program): the token program of own ($R/bin/program) is not executable; fix: chmod +x $R/bin/program',
  );
});
