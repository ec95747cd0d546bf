// Commands of pages about tokens without a login on the web, by copy and paste in a pool: a
// mytoken server, a token exchange, tokens that are signed here. The program `mytoken` of
// the users is a stand-in that prints a mytoken.
import { cpSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createPool, type Pool, type PoolProvider } from '@credmon/test-fixtures/pool/pool';
import { isPoolMissing } from '@credmon/test-fixtures/pool/root-directory';
import { startMytoken, type FakeMytoken } from '@credmon/test-fixtures/servers/fake-mytoken';
import { makeCertificates } from '@credmon/test-fixtures/servers/certificates';
import { createWorkspace } from '@credmon/test-fixtures/files/workspace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksOf, blocksToRun, dialogueOf, missingLines } from '../support/page-blocks.ts';
import { CREDENTIALS, logIn, tokenFile } from './pool-tokens.ts';
import { shellOf } from './shell.ts';

const SERVER = 'https://mytok.eu';
const FOLDER = '/etc/condor/config.d';

describe.skipIf(isPoolMissing())('the commands of a page', () => {
  let pool: Pool;
  let server: FakeMytoken;
  let web: PoolProvider;
  const { write, read, typed, must } = shellOf(() => pool);
  /** Copies a file of configs/ as a page tells. */
  const copy = (name: string): void =>
    cpSync(`configs/${name}`, pool.path(`${FOLDER}/${name.split('/').at(-1)}`));

  beforeAll(async () => {
    pool = await createPool(tmpdir());
    server = await startMytoken(SERVER);
    web = await pool.addProvider('web');
    await web.issuer.addClient({
      clientId: 'htcondor-ap',
      clientSecret: 'secret-of-lab',
      redirectUris: [],
      grants: ['urn:ietf:params:oauth:grant-type:token-exchange'],
    });

    const folder = createWorkspace();
    const made = makeCertificates(folder.root, { names: 'DNS:mytok.eu' });
    write('/usr/local/share/ca-certificates/mytok.crt', made.ca);
    write('/etc/ssl/server.pem', readFileSync(made.certificateFile, 'utf8'));
    write('/etc/ssl/server.key', readFileSync(made.keyFile, 'utf8'), 0o600);
    folder.remove();
    write(
      '/etc/nginx/conf.d/mytok.conf',
      `server { listen 443 ssl; server_name mytok.eu;
  ssl_certificate /etc/ssl/server.pem; ssl_certificate_key /etc/ssl/server.key;
  location / { proxy_pass ${server.url}; } }\n`,
    );
    await pool.bringIn(Number(new URL(server.url).port));
    await must(`echo 127.0.0.1 mytok.eu >> /etc/hosts
update-ca-certificates
install -d /var/lib/tokens.d
install -d -m 700 /var/lib/condor/mytokens
`);
    pool.start(['/usr/sbin/nginx', '-g', 'daemon off;']);

    for (const name of ['condor/61-credmon-local.conf', 'condor/63-credmon-mytoken.conf'])
      copy(name);
    copy('glideinwms/entries.conf');
    const exchange = blocksOf('docs/token-exchange.md').find(({ text }) =>
      text.startsWith('EXCHANGE_CREDMON_PROVIDER_NAMES'),
    );
    write(
      `${FOLDER}/64-exchange.conf`,
      (exchange?.text ?? '').replace(/https:\/\/issuer\.example\.org.*/, web.issuer.url),
    );
    write('/etc/condor/.secrets/lab', 'secret-of-lab\n', 0o600);
    await pool.startMaster();
  });
  afterAll(async () => {
    await pool?.remove();
    await server?.close();
  });

  describe('docs/mytoken.md', () => {
    const [code = '', program = '', redeem = '', ...more] = blocksToRun(
      'docs/mytoken.md',
      'sh run',
    );

    it('has these blocks', () => {
      expect(more).toEqual([]);
    });

    it('stores the mytoken of a transfer code, and the daemon gets an access token', async () => {
      const transfer = server.transferCode(server.issue('alice'));
      await must(code, 'alice', `${transfer}\n`);
      expect(await tokenFile(pool, 'alice/helmholtz.use')).toContain('"access_token"');
    });

    it('stores what the program mytoken prints', async () => {
      const mytoken = server.issue('bob');
      write('/usr/local/bin/mytoken', `#!/bin/sh\necho '${mytoken}'\n`, 0o755);
      await must(program, 'bob');
      expect(await tokenFile(pool, 'bob/helmholtz.use')).toContain('"access_token"');
    });

    it('puts the mytoken of a transfer code into a file', async () => {
      const mytoken = server.issue('alice');
      await must(redeem, 'root', `${server.transferCode(mytoken)}\n`);
      const [, file = ''] = /--mytoken-file (\S+)/.exec(redeem) ?? [];
      expect(read(file)).toBe(`${mytoken}\n`);
      expect(statSync(pool.path(file)).mode & 0o777).toBe(0o600);
    });
  });

  it('docs/token-exchange.md: the stored token is exchanged', async () => {
    const { access_token: token } = await logIn(web);
    const text = blocksOf('docs/token-exchange.md').find(({ text: one }) =>
      one.startsWith('{"access_token"'),
    )?.text;
    const subject = { ...(JSON.parse(text ?? '{}') as object), access_token: token };
    write('/home/alice/token.json', JSON.stringify({ ...subject, scopes: 'read' }));
    const store = blocksToRun('docs/token-exchange.md', 'sh run').join('');
    await must(store.replace('FILE', 'token.json'), 'alice');
    expect(await tokenFile(pool, 'alice/lab.use')).toContain('"access_token"');
  });

  it('docs/scitokens.md: a job extracts the bare token from a .use file', async () => {
    const job = `install -d creds
cp ${CREDENTIALS}/alice/lab.use creds/mytok.use
export _CONDOR_CREDS=$PWD/creds\n`;
    const look = 'stat -c %a bearer; scitokens token inspect < /dev/null\n';
    const output = await must(job + blocksToRun('docs/scitokens.md', 'sh run job').join('') + look);
    expect(output).toMatch(/^600$/m);
    expect(output).toContain(web.issuer.url);
  });

  it('docs/local-issuer.md: HTCondor 23.9 needs a stored credential, once', async () => {
    const [submit, store, ...more] = blocksToRun('docs/local-issuer.md', 'console run').map(
      dialogueOf,
    );
    expect(more).toEqual([]);
    const job = 'executable = /bin/true\nuse_oauth_services = scitokens\nqueue\n';
    write('/home/alice/job.sub', job);
    const first = await typed(`${submit?.command}\n`, 'alice');
    expect([first.code, missingLines(submit?.shown ?? [], first.output)]).toEqual([1, []]);
    const stored = await must(`${store?.command}\n`, 'alice');
    expect(missingLines(store?.shown ?? [], stored)).toEqual([]);
    await tokenFile(pool, 'alice/scitokens.use');
    expect(await must(`${submit?.command}\n`, 'alice')).toContain('1 job(s) submitted to cluster');
  });

  it('docs/standing-tokens.md and docs/htcondor-ce.md: a token for an entry', async () => {
    // "Use the three commands above with this path", of docs/htcondor-ce.md.
    const [keys = ''] = blocksToRun('docs/htcondor-ce.md', 'sh run');
    await must(keys.replaceAll(/\bfrontend-keys\b/g, '/etc/condor/frontend-keys'));
    const [text = ''] = blocksToRun('docs/standing-tokens.md', 'console run token');
    const { command, shown } = dialogueOf(text);
    expect((await must(`${command}\n`)).trimEnd()).toBe(shown.join('\n'));

    const print = blocksToRun('docs/htcondor-ce.md', 'sh run token').join('').trim();
    const explained = await must(`${print} | scitokens token inspect -\n`);
    expect(explained).toContain('vofrontend-ce1');
    expect(explained).toContain('ce1.example.edu:9619');
  });
});
