// docs/start.md as a whole: an Access Point of Debian with HTCondor and nginx, and the
// commands of the page by copy and paste, from the package to the token of a job; then the
// commands of other pages that need such a machine. Not run as they stand: systemctl
// (nothing here is booted: the test does what the units say), and the download of nginx,
// which the root directory has.
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PATIENCE } from '@credmon/test-fixtures/clocks/patience';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { startNamespace, type Namespace } from '@credmon/test-fixtures/pool/namespace';
import { isPoolMissing, rootDirectory } from '@credmon/test-fixtures/pool/root-directory';
import { ISSUERS } from '@credmon/test-fixtures/profile-issuers/issuers';
import {
  ORIGIN_HEADER,
  startProfileIssuer,
  type ProfileIssuer,
} from '@credmon/test-fixtures/profile-issuers/profile-issuer';
import { makeCertificates } from '@credmon/test-fixtures/servers/certificates';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../packages/commands.ts';
import { listedTokens, startBrowser, visit } from '../slow/browser.ts';
import { isMissing } from '../support/needs.ts';
import { blocksOf, blocksToRun } from '../support/page-blocks.ts';
import { shellOf } from './shell.ts';

const checkout = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = 'docs/start.md';
const SECRET = 'a-secret-that-nobody-sees';

const page = readFileSync(join(checkout, PAGE), 'utf8');
const BLOCKS = blocksOf(PAGE, page);
const STEPS = blocksToRun(PAGE, 'sh run');

/** The text of another block of the page. */
function shown(containing: string): string {
  const found = BLOCKS.find(({ info, text }) => info === undefined && text.includes(containing));
  if (!found) throw new Error(`${PAGE} has no block with ${containing}`);
  return found.text;
}

describe.skipIf(isPoolMissing() || isMissing('chromium'))(
  'docs/start.md, from the first command to the last',
  () => {
    const next = STEPS.values();
    /** The next commands of the page; the test says what they are to contain. */
    const step = (containing: string): string => {
      const { value = '' } = next.next();
      expect(value).toContain(containing);
      return value;
    };
    const folder = mkdtempSync(join(tmpdir(), 'credmon-start-'));
    let machine: Namespace;
    let issuer: ProfileIssuer;
    const { write, read, typed, must } = shellOf(() => machine);

    beforeAll(async () => {
      machine = await startNamespace(rootDirectory(tmpdir()).root);
      // What the reader has: HTCondor without credmon, a host name with a certificate, a realm.
      await must('find /usr/local -type f,l -name "*cred*" -delete; hash -r\n');
      cpSync(
        'test-fixtures/pool/condor/50-pool.conf',
        machine.path('/etc/condor/config.d/50-pool.conf'),
      );
      cpSync('test-fixtures/pool/systemctl.sh', machine.path('/usr/local/sbin/systemctl'));
      chmodSync(machine.path('/usr/local/sbin/systemctl'), 0o755);
      appendFileSync(machine.path('/etc/hosts'), '127.0.0.1 ap.example.org keycloak.example.org\n');
      const names = 'DNS:ap.example.org,DNS:keycloak.example.org';
      const made = makeCertificates(folder, { names });
      write('/usr/local/share/ca-certificates/start.crt', made.ca);
      write('/etc/ssl/certs/ap.example.org.pem', readFileSync(made.certificateFile, 'utf8'));
      write('/etc/ssl/private/ap.example.org.key', readFileSync(made.keyFile, 'utf8'), 0o600);
      await must('update-ca-certificates\ninstall -d -o condor -g condor /run/condor /run/lock\n');

      const redirectUri = shown('https://ap.example.org/return/').trim();
      const answers = ISSUERS['keycloak'];
      if (!answers) throw new Error('no issuer');
      const client = { clientId: 'htcondor', clientSecret: SECRET, redirectUris: [redirectUri] };
      issuer = await startProfileIssuer(answers, { client, names: 'real' });
      const port = Number(new URL(issuer.url).port);
      await machine.bringIn(port);
      write(
        '/etc/nginx/conf.d/keycloak.conf',
        `server { listen 443 ssl; server_name keycloak.example.org;
  ssl_certificate /etc/ssl/certs/ap.example.org.pem; ssl_certificate_key /etc/ssl/private/ap.example.org.key;
  location / { proxy_pass http://127.0.0.1:${port}; proxy_set_header ${ORIGIN_HEADER} https://keycloak.example.org; } }\n`,
      );
      machine.start(['/usr/sbin/condor_master', '-f']);
      machine.start(['/usr/sbin/nginx', '-g', 'daemon off;']);
    });
    afterAll(async () => {
      await machine?.remove();
      await issuer?.close();
      rmSync(folder, { recursive: true });
    });

    // Each step needs those before it.
    let isBroken = false;
    beforeEach(({ skip, onTestFailed }) => {
      if (isBroken) skip();
      onTestFailed(() => {
        isBroken = true;
      });
    });

    it('1. builds the package and installs it', async () => {
      const [npm = '', ...words] = step('npm run package').trim().split(' ');
      await run(checkout, [npm, ...words, folder]);
      const deb = readdirSync(folder).find((name) => name.endsWith('.deb')) ?? '';
      mkdirSync(machine.path('/root/dist/package'), { recursive: true });
      cpSync(join(folder, deb), machine.path(`/root/dist/package/${deb}`));
      await must(step('apt-get install'));
      expect(read('/usr/share/doc/credmon/docs/start.md')).toContain('condor_credmon init');
    });

    it('3. writes the configuration, and asks for the secret', async () => {
      write('/tmp/init', step('condor_credmon init'));
      const dialogue = [
        ['Name that users write after use_oauth_services [keycloak]', ''],
        ['[/etc/condor/.secrets/keycloak]', ''],
        ['Client secret, to be written to /etc/condor/.secrets/keycloak', SECRET],
      ].map(
        ([question, answer]) =>
          `until grep -qF '${question}' /tmp/screen 2>/dev/null; do sleep 0.05; done; printf '%s\\r' '${answer}'`,
      );
      const shell = `{ ${dialogue.join('; ')}; } | script -qefc 'bash /tmp/init' /tmp/screen`;
      await machine.run(['timeout', String(PATIENCE), '/bin/bash', '-c', shell]);
      const screen = read('/tmp/screen');
      expect(screen).not.toContain(SECRET);
      expect(screen).toContain('wrote /etc/condor/config.d/60-credmon.conf');
      expect(screen).toMatch(/ok +https:\/\/keycloak\.example\.org\/realms\/lab is reachable/);
      expect(read('/etc/condor/.secrets/keycloak')).toBe(`${SECRET}\n`);
    });

    it('3. lets HTCondor start CredD and the daemon', async () => {
      const [restart = '', check = '', ...more] = step('condor_restart').trim().split('\n');
      expect(more).toEqual([]);
      await must(restart);
      const checked = await waitUntil(
        async () => {
          const { code, output } = await typed(check);
          return code === 0 && !output.includes('no condor_credmon is running here') && output;
        },
        { what: `${check} that finds the daemon`, every: 2 },
      );
      expect(checked).toMatch(/ok +process \d+ is running/);
      expect(checked).not.toContain('ERROR');
    });

    it('4. starts the portal', async () => {
      expect(await must(step('condor_credmon_webserver --check'))).not.toContain('ERROR');
    });

    it('5. puts nginx in front of it', async () => {
      await must(step('cp /usr/share/credmon'));
      // "Change the host name, the certificate and its key in this file."
      const site = '/etc/nginx/sites-enabled/condor_credmon_web.conf';
      const adapted = read(site)
        .replace(
          /ssl_certificate \S+;(?= # adapt)/,
          'ssl_certificate /etc/ssl/certs/ap.example.org.pem;',
        )
        .replace(
          /ssl_certificate_key \S+;(?= # adapt)/,
          'ssl_certificate_key /etc/ssl/private/ap.example.org.key;',
        );
      write(site, adapted);
      const [, answer = ''] = /^The answer is `(.+)`\.$/m.exec(page) ?? [];
      expect(await must(step('systemctl reload nginx'))).toContain(answer);
    });

    it('6. a user submits a job, signs in, and the job has the token', async () => {
      write('/home/alice/job.sub', shown('use_oauth_services'));
      await machine.must(['chown', 'alice:', '/home/alice/job.sub']);
      const submit = step('condor_submit');
      const first = await typed(submit, 'alice');
      const [link = ''] = /https:\/\/ap\.example\.org\/key\/\S+/.exec(first.output) ?? [];
      expect({ link: link.length > 0, output: first.output }).toMatchObject({ link: true });

      const port = await machine.bringOut(443);
      const browser = await startBrowser({
        'ap.example.org': port,
        'keycloak.example.org': port,
      });
      const visitor = await visit(browser);
      await visitor.page.goto(link);
      await visitor.page.getByRole('button', { name: 'Sign in to keycloak' }).click();
      await visitor.page.getByRole('button', { name: 'Store for' }).click();
      await visitor.page.locator('li.token').first().waitFor();
      expect(await listedTokens(visitor.page)).toEqual(['keycloak: Signed in']);
      await visitor.close();
      await browser.close();

      expect(await must(submit, 'alice')).toContain('1 job(s) submitted to cluster');
      await waitUntil(() => /Job terminated/.test(read('/home/alice/job.log')), {
        what: 'the end of the job',
      });
      expect(read('/home/alice/job.out')).toMatch(/ keycloak\.use$/m);
      expect(next.next().done).toBe(true);
    });

    it('6. status and explain show the token', async () => {
      expect(page).toContain('`condor_credmon status` shows the token');
      expect(await must('condor_credmon status\n', 'alice')).toMatch(
        /^alice +keycloak +keycloak \(oauth\) +fresh /m,
      );
      expect(page).toContain('`condor_credmon explain alice keycloak` shows');
      expect(await must('condor_credmon explain alice keycloak\n')).toMatch(/^alice\/keycloak$/m);
    });

    /** The commands of another page, for this Access Point. */
    const others = (name: string): string => blocksToRun(`docs/${name}`, 'sh run').join('');

    it('the commands of docs/security-model.md and docs/web.md run on this Access Point', async () => {
      expect(await must(others('security-model.md'))).not.toContain('ERROR');
      mkdirSync(machine.path('/etc/httpd'));
      await must(others('web.md'));
      expect(read('/etc/nginx/condor_credmon_web_user.conf')).toContain('proxy_set_header');
      expect(read('/etc/httpd/condor_credmon_web_user.conf')).toContain('RequestHeader');
    });

    it('those of docs/providers/keycloak.md write the secret, and the programs read it again', async () => {
      await machine.must(['rm', '/etc/condor/.secrets/keycloak']);
      expect(await must(others('providers/keycloak.md'), 'root', `${SECRET}\n`)).not.toContain(
        'ERROR',
      );
      expect(read('/etc/condor/.secrets/keycloak')).toBe(`${SECRET}\n`);
    });

    it('those of docs/local-issuer.md make and publish a key that signs', async () => {
      const [directory] = blocksOf('docs/local-issuer.md').filter(({ text }) =>
        text.startsWith('CREDMON_LOCAL_KEY_DIRECTORY'),
      );
      const knobs = `LOCAL_CREDMON_PROVIDER_NAMES = here\nLOCAL_CREDMON_TOKEN_AUDIENCE = ANY\n${directory?.text}`;
      write('/etc/condor/config.d/61-local.conf', knobs);
      await must(others('local-issuer.md'));
      expect(await must('condor_credmon keys list\n')).toMatch(/ active /);
    });

    /** What a page shows below a command, or what it printed: without numbers and issuers. */
    const shape = (text: string): string[] =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => line.replaceAll(/https:\/\/[^\s;,]+/g, 'URL').replaceAll(/\d[\w:-]*/g, '0'));

    it('those of docs/admin-guide.md explain and revoke tokens as the page shows it', async () => {
      const [explain = '', revoke = '', dryRun = '', ...more] = blocksToRun(
        'docs/admin-guide.md',
        'console run',
      ).map((text) => text.replace(/^\$ /, ''));
      expect(more).toEqual([]);
      const commandOf = (text: string): string => `${text.split('\n')[0]}\n`;
      const outputOf = (text: string): string[] => shape(text.slice(commandOf(text).length));

      // The same client under the name of the page, and its tokens; bob's is dead.
      const lines = read('/etc/condor/config.d/60-credmon.conf').match(
        /^(?:CREDMON_)?keycloak_.*$/gm,
      );
      const knobs = (lines ?? []).map((line) => line.replace('keycloak_', 'mytok_'));
      write('/etc/condor/config.d/62-mytok.conf', `${knobs.join('\n')}\n`);
      await must(`cd /var/lib/condor/oauth_credentials
install -d -m 2700 bob
for user in alice bob; do for kind in meta use top; do cp -p alice/keycloak.$kind $user/mytok.$kind; done; done
sed -i -E 's/("refresh_token": *")[^"]*/\\1dead/' bob/mytok.top
condor_reconfig
`);
      const explained = await waitUntil(
        async () => {
          const { output } = await typed(commandOf(explain));
          return output.includes('GRANT_REVOKED') && output;
        },
        { what: "the end of bob's token", every: 1 },
      );
      /** The names of the lines and of the files. */
      const names = (text: readonly string[]): string[] =>
        text.map((line) => line.replace(/^( *\S+(?: \S+)?) .*$/, '$1'));
      expect(names(shape(explained))).toEqual(names(outputOf(explain)));
      expect(shape(await must(commandOf(dryRun)))).toEqual(outputOf(dryRun));
      expect(shape(await must(commandOf(revoke)))).toEqual(outputOf(revoke));
      await machine.must(['rm', '-r', '/var/lib/condor/oauth_credentials/bob']);
    });

    it('those of docs/migrate.md print a configuration, stop the daemon and start it again', async () => {
      const [print = '', off = '', kill = '', check = '', own = '', on = '', ...more] = blocksToRun(
        'docs/migrate.md',
        'sh run',
      );
      expect(more).toEqual([]);
      const [, old = '', apache = ''] = /--migrate (\S+) (\S+)/.exec(print) ?? [];
      write(old, 'CREDD_OAUTH_MODE = True\nSEC_CREDENTIAL_MONITOR = /usr/bin/scitokens_credmon\n');
      write(apache, 'WSGIScriptAlias / /var/www/wsgi-scripts/scitokens-credmon/app.wsgi\n');
      await must(print);
      await machine.must(['rm', old]);
      expect(read('/root/60-credmon.conf')).toMatch(/^# .*WSGIScriptAlias/m);
      // "If the daemon was started with nohup", with the directory that the page has.
      await must(
        'mkdir /var/lib/condor/credentials; sleep 999 & echo $! > /var/lib/condor/credentials/pid\n',
      );
      await must(kill);
      await must(own);
      await must(check);
      await must(off);
      await waitUntil(
        async () => (await typed('condor_credmon check\n')).output.includes('no condor_credmon is'),
        { what: 'the end of the daemon', every: 1 },
      );
      expect(await must(on)).toMatch(/^alice +keycloak /m);
    });

    it('those of docs/install.md put Apache in the place of nginx', async () => {
      await must(others('install.md'));
      // "Change the host name, the certificate and its key in this file", as for nginx.
      const site = '/etc/apache2/sites-available/condor_credmon_web.conf';
      const adapted = read(site)
        .replace(/(Define CREDMON_WEB_CERTIFICATE) .*/, '$1 /etc/ssl/certs/ap.example.org.pem')
        .replace(
          /(Define CREDMON_WEB_CERTIFICATE_KEY) .*/,
          '$1 /etc/ssl/private/ap.example.org.key',
        );
      write(site, adapted);
      await must('nginx -s quit\nwhile pgrep nginx; do sleep 0.05; done\napache2ctl start\n');
      const answer = await must(
        'curl -sS --retry 9 --retry-connrefused https://ap.example.org/healthz\n',
      );
      expect(answer).toContain('"status":"ok"');
    });
  },
);
