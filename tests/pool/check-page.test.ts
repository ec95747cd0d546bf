// `condor_credmon check --user alice` of docs/admin-guide.md, in a pool with the providers,
// tokens and mistakes that the page shows: what the command prints is what the page has.
import { cpSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { startNamespace, type Namespace } from '@credmon/test-fixtures/pool/namespace';
import { isPoolMissing, rootDirectory } from '@credmon/test-fixtures/pool/root-directory';
import { ISSUERS } from '@credmon/test-fixtures/profile-issuers/issuers';
import type { IssuerAnswers } from '@credmon/test-fixtures/profile-issuers/answers';
import {
  startProfileIssuer,
  type ProfileIssuer,
} from '@credmon/test-fixtures/profile-issuers/profile-issuer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksToRun, missingLines } from '../support/page-blocks.ts';
import { SOCKET, startNames } from './real-names.ts';
import { shellOf } from './shell.ts';

const CONFIGURATION = `CREDMON_OAUTH = /usr/local/bin/condor_credmon
CREDMON_RUN_DIR = /var/lib/condor_credmon
CREDMON_WEB_PREFIX = https://ap.example.org
CREDMON_WEB_LISTEN = unix:${SOCKET}
CREDMON_RENEW_FRACTOIN = 0.5
use feature : OAUTH
DAEMON_LIST = $(DAEMON_LIST) CREDD
SEC_CREDENTIAL_REFRESH = 300

mytok_CLIENT_ID = condor-ap
mytok_CLIENT_SECRET_FILE = /etc/condor/mytok.secret
mytok_RETURN_URL_SUFFIX = /return/mytok
mytok_AUTHORIZATION_URL = https://issuer.example.org/authorize
mytok_TOKEN_URL = https://issuer.example.org/token
CREDMON_mytok_ISSUER = https://issuer.example.org

LOCAL_CREDMON_PROVIDER_NAMES = scitokens
LOCAL_CREDMON_ISSUER = https://ap.example.org
LOCAL_CREDMON_TOKEN_AUDIENCE = https://storage.example.org
LOCAL_CREDMON_AUTHZ_TEMPLATE = read:/user/{username} write:/user/{username}
LOCAL_CREDMON_AUTHZ_GROUP_MAPFILE = /etc/condor/groups.map
LOCAL_CREDMON_PRIVATE_KEY = /etc/condor/scitokens-private.pem
LOCAL_CREDMON_PUBLIC_KEY = /etc/condor/scitokens.pem

CLIENT_CREDMON_PROVIDER_NAMES = site
CLIENT_CREDMON_site_CLIENT_ID = htcondor-ap
CLIENT_CREDMON_site_CLIENT_SECRET_FILE = /etc/condor/site.secret
CLIENT_CREDMON_site_ISSUER = https://login.example.org
CLIENT_CREDMON_site_AUTHZ_TEMPLATE = storage.read:/users/{username}
`;

/** The issuer of the profile generic under another name. */
function genericAt(origin: string): IssuerAnswers {
  const text = JSON.stringify(ISSUERS['generic']);
  const answers = JSON.parse(text.replaceAll('https://login.example.org', origin)) as IssuerAnswers;
  return { ...answers, grants: (asked) => asked };
}

/** The hosts in the line about the clock are in the order of their answers. */
const sorted = (line: string): string =>
  line.replace(/(?<=agrees with ).*/, (hosts) => hosts.split(', ').toSorted().join(', '));

/** Without numbers, and without line breaks inside an entry. */
const shape = (text: string): string[] =>
  text
    .replaceAll(/\n {6,}(?=\S)/g, ' ')
    .trimEnd()
    .split('\n')
    .map((line) => sorted(line).replaceAll(/ {2,}/g, '  ').replaceAll(/\d+/g, '0'));

describe.skipIf(isPoolMissing())('docs/admin-guide.md', () => {
  const issuers: ProfileIssuer[] = [];
  let machine: Namespace;
  const shell = shellOf(() => machine);

  beforeAll(async () => {
    machine = await startNamespace(rootDirectory(tmpdir()).root);
    for (const origin of ['https://issuer.example.org', 'https://login.example.org']) {
      const client = { clientId: 'condor-ap', clientSecret: 'secret', redirectUris: [] };
      issuers.push(await startProfileIssuer(genericAt(origin), { client, names: 'real' }));
    }
    await startNames(machine, shell, issuers);
    cpSync(
      'test-fixtures/pool/condor/50-pool.conf',
      machine.path('/etc/condor/config.d/50-pool.conf'),
    );
    shell.write('/etc/condor/config.d/60-credmon.conf', CONFIGURATION);
    shell.write('/etc/condor/mytok.secret', 'secret\n', 0o600);
    shell.write('/etc/condor/site.secret', 'secret\n', 0o644);
    shell.write('/etc/condor/groups.map', '* alice cms,it\nbob\n');
    await shell.must('install -d -o condor -g condor /run/condor /run/lock\n');
    machine.start(['/usr/sbin/condor_master', '-f']);
    const portal = machine.start(['/usr/local/bin/condor_credmon_webserver'], { user: 'condor' });
    await portal.printed(/ serves \S+ on \S+,/);
    const CREDENTIALS = '/var/lib/condor/oauth_credentials';
    await waitUntil(
      async () => (await shell.typed(`test -e ${CREDENTIALS}/CREDMON_COMPLETE\n`)).code === 0,
      { what: 'the first pass of the daemon', every: 0.3 },
    );

    const now = Math.floor(Date.now() / 1000);
    const use = (left: number): string =>
      JSON.stringify({ access_token: 'a', issued_at: now + left - 3600, expires_at: now + left });
    const meta = JSON.stringify({
      client_id: 'condor-ap',
      client_secret: 'secret',
      token_url: 'https://issuer.example.org/token',
      use_refresh_token: true,
    });
    const files = {
      'alice/mytok_h1.top': '{"refresh_token":"r"}',
      'alice/mytok_h1.meta': meta,
      'alice/mytok_h1.use': use(3600),
      'bob/mytok.top': '{"refresh_token":"dead"}',
      'bob/mytok.meta': meta,
      'bob/mytok.use': use(600),
      'carl/dcache.use': use(3600),
      'carl/dcache.top': '{"refresh_token":"r"}',
      'alice/scitokens.top': '{}',
    };
    for (const [name, text] of Object.entries(files))
      shell.write(`${CREDENTIALS}/${name}`, text, 0o400);
    await shell.must(`chmod 2700 ${CREDENTIALS}/*/\ncondor_reconfig\n`);
    await waitUntil(
      async () => (await shell.typed('condor_credmon status\n')).output.includes('GRANT_REVOKED'),
      { what: "the end of bob's token", every: 1 },
    );
  });
  afterAll(async () => {
    await machine?.remove();
    for (const issuer of issuers) await issuer.close();
  });

  const [check = '', status = '', ...more] = blocksToRun(
    'docs/admin-guide.md',
    'console run check',
  ).map((text) => text.replace('$ ', ''));
  const outputOf = (text: string): string => text.slice(text.indexOf('\n') + 1);
  /** Types the command of a block. */
  const typed = (text: string): ReturnType<typeof shell.typed> =>
    shell.typed(`${text.split('\n')[0]}\n`);

  it('shows what condor_credmon check prints', async () => {
    expect(more).toEqual([]);
    const { code, output } = await typed(check);
    // The pool's own file is not on the page.
    const printed = output.replace(/^ +\/etc\/condor\/config\.d\/50-pool\.conf,\n/m, '');
    expect(shape(outputOf(check))).toEqual(shape(printed));
    expect(code).toBe(1);
  });

  it('shows what condor_credmon status prints', async () => {
    const lines = (text: string): string[] =>
      shape(text).map((line) => line.replaceAll(/(?:0[dhms])+/g, 'TIME').replaceAll(/ +/g, ' '));
    const { code, output } = await typed(status);
    expect(missingLines(lines(outputOf(status)), lines(output).join('\n'))).toEqual([]);
    expect(code).toBe(1);
  });
});
