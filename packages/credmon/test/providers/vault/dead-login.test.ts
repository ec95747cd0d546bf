// The answers of a Vault whose own login has ended, or that redirects: who must act, and
// whether the renewal is retried.
import { mkdtempSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCertificates, type Certificates } from '@credmon/test-fixtures/servers/certificates';
import {
  errors,
  secret,
  startVault,
  type FakeVault,
  type VaultAnswer,
} from '@credmon/test-fixtures/servers/fake-vault';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { beginPass } from '../../../src/daemon/pass.ts';
import { bench, type Bench } from '../../support/bench.ts';

let directory: string;
let certificates: Certificates;
let vault: FakeVault;
let on: Bench;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-vault-dead-'));
  certificates = makeCertificates(directory);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeEach(async () => {
  vault = await startVault({
    key: readFileSync(certificates.keyFile, 'utf8'),
    cert: readFileSync(certificates.certificateFile, 'utf8'),
  });
  on = bench({
    knobs: {
      VAULT_CREDMON_PROVIDER_NAMES: 'dune',
      TRUSTED_VAULT_HOSTS: 'localhost',
      CREDMON_VAULT_PORTS: String(vault.port),
      AUTH_SSL_CLIENT_CAFILE: certificates.caFile,
    },
  });
});
afterEach(() => vault.close());

interface CaseAnswer extends VaultAnswer {
  readonly id: number;
}

const CASE = JSON.parse(
  readFileSync(
    fileURLToPath(
      new URL('../../../../../test-fixtures/data/vault/dead-grant.json', import.meta.url),
    ),
    'utf8',
  ),
) as CaseAnswer[];
const caseAnswer = (id: number): VaultAnswer =>
  CASE.find((one) => one.id === id) ?? expect.unreachable();

const pass = async (): Promise<number> =>
  (await beginPass(on.context, on.lookup, on.memory)).settled;
const failures = (): string[] =>
  on.lines.filter((line) => /^(?:warn|error) alice\/dune: /.test(line));

/** Stores a login of alice; returns its Vault token. */
function store(path = (usual: string) => usual): string {
  const login = vault.login('alice', 'dune');
  const url = `https://localhost:${vault.port}${path(login.path)}`;
  on.seed('alice', 'dune', {
    top: JSON.stringify({ vault_token: login.token, vault_url: url }),
  });
  return login.token;
}

const STEP = 'fix: alice runs this, which starts htgettoken: condor_credential_storer --force dune';

describe('P29 R9 a login that has ended in the Vault', () => {
  const oauth = (code: string): VaultAnswer =>
    errors(400, `refresh failed: server rejected request: ${code}: Session not active`);
  it.each<[string, VaultAnswer, string]>([
    ['the case: token expired', caseAnswer(1), 'HTTP status 400 (token expired)'],
    ['the case: a quoted answer', caseAnswer(2), 'HTTP status 500 (invalid_grant)'],
    ['a refusal of the issuer', oauth('invalid_grant'), 'HTTP status 400 (invalid_grant)'],
    ['an end of the session', oauth('interaction_required'), '400 (interaction_required)'],
    [
      "another library's words",
      errors(500, '1 error occurred:\n\t* oauth2: "invalid_grant" "Token is not active"\n\n'),
      'HTTP status 500 (invalid_grant)',
    ],
  ])('%s stops the renewal and gives the user the command', async (_title, answer, words) => {
    const token = store();
    await pass();
    const before = on.read('alice', 'dune.use');
    vault.setAnswer(() => answer);
    on.clock.advance(1300);
    await pass();
    expect(failures()).toEqual([
      expect.stringMatching(/^error alice\/dune: the login in the Vault has ended: /),
    ]);
    expect(failures()[0]).toContain(words);
    expect(failures()[0]).toContain(`not tried again: ${STEP}`);
    expect([on.read('alice', 'dune.use'), on.has('alice', 'dune.top')]).toEqual([before, true]);
    const asked = vault.requests.length;
    on.clock.advance(100_000);
    await pass();
    expect(vault.requests.length).toBe(asked);
    expect(on.lines.join('\n')).not.toContain(token);
  });

  it('continues as soon as the user has stored a new login', async () => {
    vault.setAnswer(() => caseAnswer(1));
    store();
    await pass();
    vault.setAnswer();
    store();
    const soon = on.clock.now() + 2;
    utimesSync(join(on.directory, 'alice/dune.top'), soon, soon);
    await pass();
    expect(on.has('alice', 'dune.use')).toBe(true);
  });

  it('below sts/ is recognised as well', async () => {
    store((usual) => usual.replace('/creds/', '/sts/'));
    vault.setAnswer(() => caseAnswer(1));
    await pass();
    expect(failures()[0]).toContain(STEP);
  });
});

describe('"token expired" of a login that works', () => {
  const shortLived = (warnings: readonly string[] | null): void =>
    vault.setAnswer(({ minimum_seconds: minimum }) =>
      Number(minimum) > 600 ? caseAnswer(1) : secret({ access_token: 'abc' }, warnings),
    );

  it("is retried if the issuer's tokens live shorter than requested, and names the knob", async () => {
    store();
    shortLived(null);
    await pass();
    expect(failures()[0]).toMatch(
      /^warn alice\/dune: the Vault of dune has no token that is valid for 2400 s, only a shorter one; fix: lower CREDMON_OAUTH_TOKEN_MINIMUM if the issuer's tokens live shorter; tried again in \d+ s$/,
    );
    expect(on.has('alice', 'dune.use')).toBe(false);
    vault.setAnswer();
    on.clock.advance(3600);
    await pass();
    expect(on.has('alice', 'dune.use')).toBe(true);
  });

  it('is retried while the Vault does not reach the issuer, also after its token has expired', async () => {
    store();
    shortLived(['3 attempt(s) to refresh this token failed, most recently: connection refused']);
    await pass();
    const line =
      /^warn alice\/dune: the Vault of dune fails to refresh its token: 3 attempt\(s\) .* connection refused; tried again in \d+ s$/;
    expect(failures()).toEqual([expect.stringMatching(line)]);
    vault.setAnswer(() => caseAnswer(1));
    on.clock.advance(3600);
    const asked = vault.requests.length;
    await pass();
    expect(vault.requests.length).toBeGreaterThan(asked);
    vault.setAnswer();
    on.clock.advance(7200);
    await pass();
    expect(on.has('alice', 'dune.use')).toBe(true);
    // The outage is over: from now on "token expired" is the end.
    vault.setAnswer(() => caseAnswer(1));
    on.clock.advance(1300);
    await pass();
    expect(failures().at(-1)).toContain(STEP);
  });
});

describe('R9 an outage of the issuer behind the Vault, seen before the daemon was restarted', () => {
  const attempts = '3 attempt(s) to refresh this token failed, most recently: connection refused';
  const outage = async (): Promise<void> => {
    store();
    vault.setAnswer(({ minimum_seconds: minimum }) =>
      Number(minimum) > 600 ? caseAnswer(1) : secret({ access_token: 'abc' }, [attempts]),
    );
    await pass();
  };
  const restartedPass = async (): Promise<void> => {
    on = { ...on, ...on.restarted() };
    await pass();
  };
  const STILL = /^warn .* its last one has expired; tried again in \d+ s$/;

  it('is remembered: "token expired" is tried again, also after further failures', async () => {
    await outage();
    vault.setAnswer(() => errors(503, 'Vault is sealed'));
    on.clock.advance(3600);
    await restartedPass();
    vault.setAnswer(() => caseAnswer(1));
    for (let time = 0; time < 2; time += 1) {
      on.clock.advance(3600);
      await restartedPass();
      expect(failures().at(-1)).toMatch(STILL);
    }
    vault.setAnswer();
    on.clock.advance(3600);
    await restartedPass();
    expect(on.has('alice', 'dune.use')).toBe(true);
  });

  it('is forgotten when the issuer answers the Vault again', async () => {
    await outage();
    vault.setAnswer(({ minimum_seconds: minimum }) =>
      Number(minimum) > 600 ? caseAnswer(1) : secret({ access_token: 'abc' }, null),
    );
    on.clock.advance(3600);
    await restartedPass();
    vault.setAnswer(() => caseAnswer(1));
    on.clock.advance(3600);
    await restartedPass();
    expect(failures().at(-1)).toContain(STEP);
  });

  it('says nothing about a login that was stored since', async () => {
    await outage();
    store();
    const soon = on.clock.now() + 2;
    utimesSync(join(on.directory, 'alice/dune.top'), soon, soon);
    vault.setAnswer(() => caseAnswer(1));
    on.clock.advance(3600);
    await restartedPass();
    expect(failures().at(-1)).toContain(STEP);
  });
});

describe('R26 a redirect', () => {
  it.each<[string, VaultAnswer, RegExp]>([
    [
      'of a standby names the active address',
      caseAnswer(3),
      /HTTP status 307: a standby redirects to active\.example\.org:8200; redirects are not followed; fix: name the active address in SEC_CREDENTIAL_GETTOKEN_OPTS and TRUSTED_VAULT_HOSTS; tried again in/,
    ],
    [
      'of another kind names the host',
      { status: 302, headers: { location: 'https://login.example.org/x?y=z' }, body: '' },
      /HTTP status 302: it redirects to login\.example\.org; redirects are not followed/,
    ],
    [
      'to a path of the same server names none',
      { status: 307, headers: { location: '/ui/' }, body: '' },
      /HTTP status 307: a standby redirects to another path; redirects are not followed/,
    ],
    [
      'to something that is not a URL names none',
      { status: 307, headers: { location: 'https://[x' }, body: '' },
      /HTTP status 307: a standby redirects to another path; redirects are not followed/,
    ],
    [
      'to a host with the Vault token as its name masks it',
      { status: 307, headers: { location: 'https://TOKEN.example/' }, body: '' },
      /HTTP status 307: a standby redirects to \[\.\.\.\]\.example; redirects are not followed/,
    ],
  ])('%s, is not followed and is retried', async (_title, answer, line) => {
    const token = store();
    const location = answer.headers?.['location']?.replace('TOKEN', token);
    vault.setAnswer(() => ({ ...answer, headers: { location: location ?? '' } }));
    await pass();
    expect(failures()).toEqual([expect.stringMatching(line)]);
    expect([on.has('alice', 'dune.top'), vault.requests.length]).toEqual([true, 1]);
    expect(on.lines.join('\n').toLowerCase()).not.toContain(token.toLowerCase());
    vault.setAnswer();
    on.clock.advance(3600);
    await pass();
    expect(on.has('alice', 'dune.use')).toBe(true);
  });
});

describe('an answer that says nothing about the login', () => {
  it.each<[string, VaultAnswer]>([
    ['a quota', errors(403, 'request rate limit quota exceeded')],
    ['no such path', errors(404)],
    ['a missing index', errors(412, 'required index state not present')],
    ['a rate limit', errors(429, 'rate limited')],
    ['a performance standby', errors(473)],
    ['an internal error', errors(500, '1 error occurred:\n\t* internal error\n\n')],
    ['a sealed Vault', errors(503, 'Vault is sealed')],
    ['a broken client', errors(400, 'server "dune" has configuration problems: no such client')],
    ['a rejected client', errors(400, 'refresh failed: server rejected request: invalid_client')],
    ['a pending login', errors(400, 'token pending issuance')],
  ])('%s removes nothing, stops nothing and tells the user nothing', async (_title, answer) => {
    store();
    vault.setAnswer(() => answer);
    await pass();
    expect(failures()).toEqual([expect.stringMatching(/^warn .*tried again in \d+ s$/)]);
    expect(on.has('alice', 'dune.top')).toBe(true);
    vault.setAnswer();
    on.clock.advance(7200);
    await pass();
    expect(on.has('alice', 'dune.use')).toBe(true);
  });
});
