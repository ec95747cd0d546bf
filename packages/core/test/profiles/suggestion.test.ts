// The profile that both checks suggest.
import { describe, expect, it } from 'vitest';
import { GENERIC_POLICY, type IssuerPolicy } from '../../src/profiles/policy.ts';
import { profileFindings } from '../../src/profiles/suggestion.ts';

describe('R45 the profile', () => {
  it.each([
    [['https://accounts.google.com'], 'google'],
    [[undefined, 'https://sso.example.org/realms/lab/protocol/openid-connect/token'], 'keycloak'],
  ])('that fits %j is suggested: %s', (urls, expected) => {
    expect(profileFindings('provider p', 'p', GENERIC_POLICY, urls)).toEqual([
      {
        state: 'warning',
        what: 'provider p',
        text:
          `its issuer looks like ${expected}; fix: set CREDMON_p_PROFILE = ${expected} ` +
          `(see docs/providers/${expected}.md)`,
      },
    ]);
  });

  it('of another issuer is reported', () => {
    const policy: IssuerPolicy = { ...GENERIC_POLICY, profile: 'google' };
    const [finding] = profileFindings('x', 'p', policy, ['https://sso.example.org/realms/lab']);
    expect(finding?.text).toBe(
      'its issuer looks like keycloak, but CREDMON_p_PROFILE is google; fix: set ' +
        'CREDMON_p_PROFILE = keycloak (see docs/providers/keycloak.md)',
    );
  });

  it.each<[string, IssuerPolicy['profile'], string]>([
    ['an unknown issuer', 'generic', 'https://i.example'],
    ['the right profile', 'google', 'https://accounts.google.com'],
    ['a profile that fits as well', 'keycloak', 'https://aai.egi.eu/auth/realms/egi'],
    ['no issuer', 'generic', ''],
  ])('is not suggested for %s', (_, profile, url) => {
    expect(profileFindings('x', 'p', { ...GENERIC_POLICY, profile }, [url])).toEqual([]);
  });
});
