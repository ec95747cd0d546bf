// docs/providers: the configuration of each page works as it is, and what users write
// there gets a token that is renewed.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '@credmon/core/config';
import { PROFILE_NAMES, type ProfileName } from '@credmon/core/profiles';
import type { IssuerAnswers } from '@credmon/test-fixtures/profile-issuers/answers';
import { ISSUERS } from '@credmon/test-fixtures/profile-issuers/issuers';
import { expect, it } from 'vitest';
import { readSettings as readDaemon } from '../../../packages/credmon/src/settings/read.ts';
import { readSettings as readPortal } from '../../../packages/webserver/src/settings/read.ts';
import { CLIENT_ID, startSite } from './site.ts';

/** The issuer of a page: GitHub's tokens are renewed for GitHub Apps only. */
function issuerOf(profile: ProfileName): IssuerAnswers {
  const answers = ISSUERS[profile === 'github' ? 'github-app' : profile];
  if (!answers) throw new Error(`no issuer ${profile}`);
  return answers;
}

/** The indented lines of a page that begin with a name and `=`, by name. */
function knobsIn(text: string): Record<string, string> {
  const lines = [...text.matchAll(/^ {4}(\w+) = (.+)$/gm)];
  return Object.fromEntries(lines.map(([, name = '', value = '']) => [name, value]));
}

/** The configuration of a page, and what users write into the submit file. */
function read(profile: ProfileName) {
  const path = `../../../docs/providers/${profile}.md`;
  const page = readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');
  const part = (title: string): string => page.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
  const configuration = part('Configure it');
  const submit = knobsIn(part('What users write and see'));
  const provider = submit['use_oauth_services'] ?? '';
  return {
    provider,
    lines: configuration.replaceAll(/^(?! {4}).*$/gm, ''),
    knobs: knobsIn(configuration),
    scopes: submit[`${provider}_oauth_permissions`] ?? '',
    audience: submit[`${provider}_oauth_resource`] ?? '',
  };
}

it('the lines of README.md with which a page is tried have no mistake', () => {
  const url = new URL('../../../docs/providers/README.md', import.meta.url);
  const page = readFileSync(fileURLToPath(url), 'utf8');
  const lines = page.match(/^ *LOG = \$ENV\(HOME\)[^`]*/m)?.[0] ?? '';
  const config = loadConfig({
    subsystem: 'CREDMON_WEB',
    env: {
      CONDOR_CONFIG: 'ONLY_ENV',
      HOME: '/home/alice',
      ...Object.fromEntries(
        [...lines.matchAll(/^ *(\w+) = (.+)$/gm)].map(([, name, value]) => [
          `_CONDOR_${name}`,
          value,
        ]),
      ),
    },
    facts: { fullHostname: () => 'ap.example' },
  });
  const { prefix, sessionDirectory, listen } = readPortal(config);
  expect([prefix, sessionDirectory, listen]).toEqual([
    'http://127.0.0.1:8081',
    '/home/alice/try/sessions',
    { kind: 'tcp', host: '127.0.0.1', port: 8081 },
  ]);
});

it.each([...PROFILE_NAMES])('the configuration of %s.md has no mistake', (profile) => {
  const folder = mkdtempSync(join(tmpdir(), 'credmon-page-'));
  try {
    const file = join(folder, 'condor_config');
    writeFileSync(file, `LOG = ${folder}\nSPOOL = ${folder}\n${read(profile).lines}\n`);
    const load = (subsystem: string) =>
      loadConfig({
        subsystem,
        env: { CONDOR_CONFIG: file },
        facts: { fullHostname: () => 'ap.example' },
      });
    const none = { credDir: undefined, logFile: undefined, debug: false, verbose: false };
    expect(readDaemon(load('CREDMON_OAUTH'), none).warnings).toEqual([]);
    expect(readPortal(load('CREDMON_WEB')).prefix).toBe('https://ap.example.org');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it.each([...PROFILE_NAMES])(
  'a user of %s.md signs in, and the token is renewed',
  async (profile) => {
    const { provider, knobs, scopes, audience } = read(profile);
    const issuer = `CREDMON_${provider}_ISSUER`;
    const site = await startSite(issuerOf(profile), {
      provider,
      knobs: {
        [issuer]: undefined,
        ...knobs,
        // These are the user's own.
        CREDMON_WEB_PREFIX: undefined,
        [`${provider}_CLIENT_ID`]: CLIENT_ID,
        [`${provider}_CLIENT_SECRET_FILE`]: undefined,
      },
    });
    try {
      await site.signIn({ scopes, audience });
      const token = site.file('use')['access_token'];
      await site.renew(Number(site.file('use')['expires_in']) - 30);
      expect(site.point.lines.join('\n')).toMatch(
        new RegExp(`^Successfully renewed alice/${provider} \\(oauth\\), good for \\d+ s`),
      );
      expect(site.file('use')['access_token']).not.toBe(token);
    } finally {
      await site.close();
    }
  },
);
