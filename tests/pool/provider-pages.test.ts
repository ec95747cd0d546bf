// docs/providers on an Access Point: the configuration and the commands of each page by
// copy and paste, with an issuer under the real names; then a submit file as on the page
// leads to the sign-in. docs/providers/keycloak.md is run by start.test.ts.
import { chmodSync, cpSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { visibleText } from '@credmon/test-fixtures/browsers/html-forms';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { startNamespace, type Namespace } from '@credmon/test-fixtures/pool/namespace';
import { isPoolMissing, rootDirectory } from '@credmon/test-fixtures/pool/root-directory';
import { ISSUERS } from '@credmon/test-fixtures/profile-issuers/issuers';
import {
  startProfileIssuer,
  type ProfileIssuer,
} from '@credmon/test-fixtures/profile-issuers/profile-issuer';
import { PROFILE_NAMES } from '@credmon/core/profiles';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksOf, blocksToRun, dialogueOf, missingLines } from '../support/page-blocks.ts';
import { PORTAL, SOCKET, startNames } from './real-names.ts';
import { shellOf } from './shell.ts';

const PAGES = PROFILE_NAMES.filter((profile) => profile !== 'keycloak');

/** What a page shows, and the name of its provider. */
function read(profile: string) {
  const page = `docs/providers/${profile}.md`;
  const shown = (containing: string): string =>
    blocksOf(page).find(({ info, text }) => !info && text.includes(containing))?.text ?? '';
  const configuration = blocksOf(page)
    .filter(({ info, text }) => info === undefined && / = /.test(text))
    .map(({ text }) => text);
  const submit = shown('use_oauth_services');
  const [, provider = ''] = /^use_oauth_services = (\w+)$/m.exec(submit) ?? [];
  const value = (knob: string): string =>
    new RegExp(`^${provider}_${knob} = (.*)$`, 'm').exec(configuration.join(''))?.[1] ?? '';
  const [check = '', reload = '', ...more] = blocksToRun(page, 'sh run');
  expect(more).toEqual([]);
  const [, scopes = ''] = /_oauth_permissions = (.*)$/m.exec(submit) ?? [];
  return {
    provider,
    scopes: scopes.split(/,? /),
    submit,
    check,
    reload,
    configuration: configuration.filter((text) => text !== submit).join(''),
    clientId: value('CLIENT_ID'),
    secretFile: value('CLIENT_SECRET_FILE'),
    redirectUri: shown(`https://${PORTAL}/return/`).trim(),
  };
}

describe.skipIf(isPoolMissing())('the page of a provider', () => {
  const issuers = new Map<string, ProfileIssuer>();
  let machine: Namespace;
  const shell = shellOf(() => machine);

  beforeAll(async () => {
    machine = await startNamespace(rootDirectory(tmpdir()).root);
    for (const profile of PROFILE_NAMES) {
      const answers = ISSUERS[profile];
      if (!answers) throw new Error(`no issuer ${profile}`);
      const { clientId, redirectUri } = read(profile);
      const client = { clientId, clientSecret: `secret-${profile}`, redirectUris: [redirectUri] };
      issuers.set(profile, await startProfileIssuer(answers, { client, names: 'real' }));
    }
    await startNames(machine, shell, [...issuers.values()]);

    // What the page takes for granted: the lines that are needed once for all providers.
    cpSync(
      'test-fixtures/pool/condor/50-pool.conf',
      machine.path('/etc/condor/config.d/50-pool.conf'),
    );
    const [once = ''] = readFileSync('configs/condor/60-credmon.conf', 'utf8').split('# One block');
    shell.write(
      '/etc/condor/config.d/60-credmon.conf',
      `${once}CREDMON_WEB_LISTEN = unix:${SOCKET}\n`,
    );
    cpSync('test-fixtures/pool/systemctl.sh', machine.path('/usr/local/sbin/systemctl'));
    chmodSync(machine.path('/usr/local/sbin/systemctl'), 0o755);
    await shell.must('install -d -o condor -g condor /run/condor /run/lock\n');
    machine.start(['/usr/sbin/condor_master', '-f']);
    const started = machine.start(['/usr/local/bin/condor_credmon_webserver'], { user: 'condor' });
    await started.printed(/ serves \S+ on \S+,/);
    await waitUntil(
      async () => (await shell.typed('condor_status -any -af MyType\n')).output.includes('CredD'),
      { what: 'the daemons of the pool', every: 0.3 },
    );
  });
  afterAll(async () => {
    await machine?.remove();
    for (const issuer of issuers.values()) await issuer.close();
  });

  it.each(PAGES)(
    '%s.md: its commands run, and its submit file leads to a sign-in',
    async (profile) => {
      const { provider, scopes, submit, check, reload, configuration, secretFile } = read(profile);
      expect(secretFile).toBe(`/etc/condor/.secrets/${provider}`);
      shell.write('/etc/condor/config.d/61-provider.conf', configuration);

      const checked = await shell.must(check, 'root', `secret-${profile}\n`);
      expect(checked).not.toContain('ERROR');
      expect(checked).toContain(`${provider} (login)`);
      const { issuer, endpoints } = issuers.get(profile) ?? {};
      const reached = issuer ?? new URL(endpoints?.token ?? '').origin;
      expect(checked.replaceAll(/\s+/g, ' ')).toContain(`${reached} is reachable`);
      expect(shell.read(secretFile)).toBe(`secret-${profile}\n`);
      const { mode, uid } = statSync(machine.path(secretFile));
      expect([(mode & 0o777).toString(8), uid]).toEqual(['600', 0]);

      await shell.must(reload);
      shell.write('/home/alice/job.sub', `executable = /bin/true\n${submit}queue\n`);
      const link = await waitUntil(
        async () => {
          const { output } = await shell.typed('condor_submit job.sub\n', 'alice');
          return /https:\/\/ap\.example\.org\/key\/\S+/.exec(output)?.[0];
        },
        { what: 'the link of condor_submit', every: 0.5 },
      );
      const signIn = await waitUntil(
        async () => {
          const get = `curl -sSL -c /tmp/cookies -b /tmp/cookies ${link}\n`;
          const page = visibleText(await shell.must(get));
          return page.includes(`Sign in to ${provider} for alice`) && page;
        },
        { what: 'the sign-in on the page of the link', every: 0.5 },
      );
      for (const scope of scopes) expect(signIn).toContain(scope);
    },
  );

  it('docs/admin-guide.md: init writes the configuration of a provider', async () => {
    const [text = '', ...more] = blocksToRun('docs/admin-guide.md', 'console run init');
    expect(more).toEqual([]);
    await shell.must('rm /etc/condor/config.d/6*\ninstall -d -m 700 /etc/condor/.secrets\n');
    shell.write('/etc/condor/.secrets/keycloak', 'secret-keycloak\n', 0o600);
    const { command, shown } = dialogueOf(text);
    const output = await shell.must(`${command}\n`);
    expect(missingLines(shown, output)).toEqual([]);
    expect(output).toContain('https://keycloak.example.org/realms/lab is reachable');
  });
});
