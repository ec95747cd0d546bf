// The lines that `init` writes are those of the pages in docs/providers.
import { readFileSync } from 'node:fs';
import { PROFILE_NAMES } from '@credmon/core/profiles';
import { describe, expect, it } from 'vitest';
import {
  type AnswerName,
  baseLines,
  firstConfiguration,
  providerLines,
  whyInvalid,
} from '../../src/migrate/first-configuration.ts';

/** The block of configuration of a page, without the lines that are needed once. */
function pageLines(profile: string): string[] {
  const url = new URL(`../../../../docs/providers/${profile}.md`, import.meta.url);
  const page = readFileSync(url, 'utf8');
  const block = /(?:^ {4}\S+_CLIENT_ID = .*\n)(?:^ {4}.*\n)*/m.exec(page)?.[0] ?? '';
  return block
    .trimEnd()
    .split('\n')
    .map((line) => line.trim());
}

describe('the first configuration', () => {
  it.each(PROFILE_NAMES)('for %s has the lines of its page', (profile) => {
    const page = pageLines(profile);
    const valueOf = (suffix: string): string | undefined =>
      page.find((line) => line.includes(`${suffix} = `))?.split(' = ')[1];
    const provider = page[0]?.split('_CLIENT_ID')[0] ?? '';
    const lines = providerLines({
      profile,
      provider,
      issuer: valueOf('_ISSUER'),
      clientId: valueOf('_CLIENT_ID') ?? '',
      secretFile: valueOf('_SECRET_FILE') ?? '',
      prefix: 'https://ap.example.org',
    });
    // Which server's token of Globus is stored depends on what jobs do.
    expect(lines).toEqual(page.filter((line) => !line.includes('_RESOURCE_SERVER = ')));
  });

  it('names the redirect URI, and begins with what an Access Point needs once', () => {
    const answers = {
      profile: 'keycloak',
      provider: 'lab',
      issuer: 'https://keycloak.example.org/realms/lab',
      clientId: 'htcondor',
      secretFile: '/etc/condor/.secrets/lab',
      prefix: 'https://ap.example.org',
    } as const;
    const base = baseLines('/usr/bin/condor_credmon', answers.prefix);
    expect(firstConfiguration(answers, base).split('\n')).toEqual([
      '# Written by condor_credmon init.',
      '',
      ...base,
      '# Keycloak: the service lab. Redirect URI to register there:',
      '#   https://ap.example.org/return/lab',
      ...providerLines(answers),
      '',
    ]);
    expect(base).toContain('CREDMON_OAUTH = /usr/bin/condor_credmon');
  });

  it.each<[AnswerName, string, string | undefined]>([
    ['profile', 'keycloak', undefined],
    ['profile', 'keycloack', expect.stringMatching(/; did you mean keycloak\?$/) as string],
    ['provider', 'my-tok2', undefined],
    ['provider', 'my_tok', 'must consist of letters, digits and -'],
    ['issuer', 'issuer.example', 'must be a URL: https://...'],
    ['clientId', 'a b', undefined],
    ['clientId', '', 'must not be empty, nor begin or end with a blank'],
    ['clientId', 'x\nDAEMON_LIST =', 'must not contain control characters'],
    ['clientId', 'x\\', 'must not end with a backslash'],
    ['clientId', '$(LOG)', 'must not contain $'],
    ['secretFile', 'secret', 'must be an absolute path'],
    ['prefix', 'https://$(FULL_HOSTNAME)', undefined],
    [
      'prefix',
      'https://ap.example.org/',
      'must be a URL without a slash at the end: https://ap.example.org',
    ],
  ])('the answer %s = %j', (name, text, why) => {
    expect(whyInvalid(name, text)).toEqual(why);
  });
});
