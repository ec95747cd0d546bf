// What docs/admin-guide.md shows of `check` and `status`, and docs/user-guide.md of jobs, in a
// pool with the providers, tokens and mistakes of the pages: the same is printed.
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
import { blocksOf, blocksToRun, dialogueOf, missingLines } from '../support/page-blocks.ts';
import { SOCKET, startNames } from './real-names.ts';
import { shellOf } from './shell.ts';

const CREDENTIALS = '/var/lib/condor/oauth_credentials';

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

/** `.use` of a token that was issued for an hour; `left` in seconds. */
function use(left: number): string {
  const now = Math.floor(Date.now() / 1000);
  return JSON.stringify({
    access_token: 'a',
    issued_at: now + left - 3600,
    expires_at: now + left,
  });
}

const META = JSON.stringify({
  client_id: 'condor-ap',
  client_secret: 'secret',
  token_url: 'https://issuer.example.org/token',
  use_refresh_token: true,
});

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
  /** Writes files of the credential directory, and lets the daemon look. */
  const store = async (files: Readonly<Record<string, string>>): Promise<void> => {
    for (const [name, text] of Object.entries(files))
      shell.write(`${CREDENTIALS}/${name}`, text, 0o400);
    await shell.must(`chmod 2700 ${CREDENTIALS}/*/\ncondor_reconfig\n`);
  };
  /** Waits until `status` of this account shows that a token is stopped. */
  const stopped = (user: string, name: string, account = 'root'): Promise<unknown> =>
    waitUntil(
      async () => {
        const { output } = await shell.typed('condor_credmon status\n', account);
        return new RegExp(`^${user} +${name} .* stopped `, 'm').test(output);
      },
      { what: `the end of ${user}/${name}`, every: 1 },
    );

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
    await waitUntil(
      async () => (await shell.typed(`test -e ${CREDENTIALS}/CREDMON_COMPLETE\n`)).code === 0,
      { what: 'the first pass of the daemon', every: 0.3 },
    );

    const files = {
      'alice/mytok_h1.top': '{"refresh_token":"r"}',
      'alice/mytok_h1.meta': META,
      'alice/mytok_h1.use': use(3600),
      'bob/mytok.top': '{"refresh_token":"dead"}',
      'bob/mytok.meta': META,
      'bob/mytok.use': use(600),
      'carl/dcache.top': '{"refresh_token":"r"}',
      'carl/dcache.use': use(3600),
      'alice/scitokens.top': '{}',
    };
    await store(files);
    await stopped('bob', 'mytok');
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

  /** Without numbers, times, keys of links and the widths of columns. */
  const lines = (text: string): string[] =>
    shape(text.replaceAll(/key\/[0-9a-f]+/g, 'key/KEY')).map((line) =>
      line.replaceAll(/(?:0[dhms])+/g, 'TIME').replaceAll(/ +/g, ' '),
    );

  it('shows what condor_credmon status prints', async () => {
    const { code, output } = await typed(status);
    expect(missingLines(lines(outputOf(status)), lines(output).join('\n'))).toEqual([]);
    expect(code).toBe(1);
  });

  describe('docs/user-guide.md', () => {
    const blocks = blocksToRun('docs/user-guide.md', 'console run').map(dialogueOf);
    const [request = ''] = blocksOf('docs/user-guide.md').map(({ text }) => text);
    const submit = (lines: string): void =>
      shell.write('/home/alice/job.sub', `executable = /bin/true\n${lines}queue\n`);
    /** Types the command of a block as alice; returns what the page has and it did not print. */
    const missing = async (at: number, exitCode: number): Promise<string[]> => {
      const block = blocks[at];
      const { code, output } = await shell.typed(`${block?.command}\n`, 'alice');
      expect({ code, output }).toEqual({ code: exitCode, output });
      return missingLines(lines(block?.shown.join('\n') ?? ''), lines(output).join('\n'));
    };
    const tokenOf = (name: string, left: number, refreshToken: string): Record<string, string> => {
      const scopes = 'storage.read:/ storage.modify:/home';
      return {
        [`alice/${name}.meta`]: META,
        // A .top that is newer than its .use would be a new login.
        [`alice/${name}.top`]: JSON.stringify({ refresh_token: refreshToken, scopes }),
        [`alice/${name}.use`]: use(left),
      };
    };

    it('has four dialogues', () => {
      expect(blocks).toHaveLength(4);
    });

    it('the first submit prints a link', async () => {
      submit(request);
      expect(await missing(0, 1)).toEqual([]);
    });

    it('with the token, the submit succeeds', async () => {
      await store(tokenOf('mytok', 3600, 'r'));
      expect(await missing(1, 0)).toEqual([]);
    });

    it('other permissions are rejected', async () => {
      submit(request.replace(' storage.modify:/home', ''));
      expect(await missing(3, 1)).toEqual([]);
    });

    it('status shows the own tokens', async () => {
      const knobs = CONFIGURATION.match(/^(?:CREDMON_)?mytok_.*\n/gm)?.join('') ?? '';
      shell.write('/etc/condor/config.d/61-dcache.conf', knobs.replaceAll('mytok', 'dcache'));
      shell.write('/etc/condor/dcache.secret', 'secret\n', 0o600);
      await store({ ...tokenOf('dcache', 3600, 'r'), ...tokenOf('mytok', 600, 'dead') });
      // Users see a file that the daemon writes after its pass.
      await stopped('alice', 'mytok', 'alice');
      expect(await missing(2, 1)).toEqual([]);
    });
  });
});
