// What the issuers of research were seen to do, row by row: P13 to P17, P21 and P22 of the
// table of findings. P29 is in dead-login.test.ts of the Vault, P30 in underscore.test.ts.
import {
  cilogon,
  GLOBUS,
  GLOBUS_TRANSFER,
  IAM,
  KEYCLOAK,
} from '@credmon/test-fixtures/profile-issuers/research-issuers';
import { afterEach, describe, expect, it } from 'vitest';
import { startSite, textOf, usersIn, type Site } from './site.ts';

let site: Site;
afterEach(() => site.close());

const stored = (): string[] => usersIn(site.portal.credentials);

/** Lets the daemon renew the token in its last half minute. */
const renewDue = (): Promise<void> => site.renew(Number(site.file('use')['expires_in']) - 30);
const refreshToken = (): unknown => site.file('top')['refresh_token'];

describe('CILogon and Fermilab', () => {
  it('P13 an issuer with a path has its metadata there', async () => {
    site = await startSite(cilogon('/fermilab'));
    await site.signIn({ scopes: 'openid' });
    await renewDue();
    expect([site.issuer.requests[0]?.url, refreshToken()]).toEqual([
      'https://cilogon.org/fermilab/.well-known/openid-configuration',
      'refresh-cilogon-4',
    ]);
  });

  const SET = 'wlcg.capabilityset:/dune';
  const EXPANDED = [
    'compute.create',
    'compute.read',
    'compute.cancel',
    'compute.modify',
    'storage.read:/dune',
    'storage.create:/dune/scratch',
    'storage.stage:/dune',
  ];
  const capabilities = {
    ...cilogon('/dune'),
    grants: (asked: readonly string[]) => asked.flatMap((one) => (one === SET ? EXPANDED : [one])),
  };

  it('P14 a capability set is stored if the issuer decides, and the difference is shown', async () => {
    site = await startSite(capabilities, { knobs: { CREDMON_mytok_SCOPE_POLICY: 'issuer' } });
    const signedIn = await site.signIn({ scopes: SET });
    expect([stored(), textOf(signedIn)]).toEqual([
      ['alice'],
      expect.stringContaining('compute.create'),
    ]);
    await renewDue();
    expect(site.point.lines).toContain(
      `alice/mytok: the issuer also granted ${EXPANDED.join(' ')}; the issuer did not grant ${SET}`,
    );
  });

  it('P14 without that policy the refusal names each scope and the policy', async () => {
    site = await startSite(capabilities);
    const signedIn = await site.signIn({ scopes: SET });
    expect([stored(), textOf(signedIn)]).toEqual([
      [],
      expect.stringContaining(`CREDMON_mytok_EXTRA_SCOPES = ${EXPANDED.join(' ')}`),
    ]);
    expect(textOf(signedIn)).toContain('CREDMON_mytok_SCOPE_POLICY = issuer');
  });
});

describe('INDIGO IAM', () => {
  it('P15 a path below the requested one is less, and is stored', async () => {
    site = await startSite({ ...IAM, grants: () => ['storage.read:/home/alice'] });
    await site.signIn({ scopes: 'storage.read:/' });
    expect(site.file('use')['scope']).toBe('storage.read:/home/alice');
  });

  it('P15 a path beside or above the requested one is refused', async () => {
    site = await startSite({ ...IAM, grants: () => ['storage.read:/home'] });
    const signedIn = await site.signIn({ scopes: 'storage.read:/home/alice' });
    expect([stored(), textOf(signedIn)]).toEqual([
      [],
      expect.stringContaining('CREDMON_mytok_EXTRA_SCOPES = storage.read:/home'),
    ]);
  });

  it('P16 the page names the scopes that were not granted', async () => {
    site = await startSite(IAM);
    site.issuer.deviate({ without: ['storage.modify:/'] });
    const signedIn = await site.signIn({ scopes: 'storage.read:/, storage.modify:/' });
    expect([stored(), textOf(signedIn)]).toEqual([
      ['alice'],
      expect.stringContaining('The provider did not grant: storage.modify:/'),
    ]);
  });
});

describe('Globus', () => {
  const scopes = `openid, ${GLOBUS_TRANSFER}`;

  it('P17 scopes of other_tokens count as granted, and no refresh token is in .use', async () => {
    site = await startSite(GLOBUS);
    const signedIn = await site.signIn({ scopes });
    expect(textOf(signedIn)).not.toContain('did not grant');
    expect(JSON.stringify(site.file('use'))).not.toContain('refresh');
  });

  it('P17 RESOURCE_SERVER chooses the token that is stored and renewed', async () => {
    site = await startSite(GLOBUS, {
      knobs: { CREDMON_mytok_RESOURCE_SERVER: 'transfer.api.globus.org' },
    });
    await site.signIn({ scopes });
    const issued = Math.floor(site.point.clock.now());
    expect([site.file('use'), refreshToken(), site.file('meta')['subject']]).toEqual([
      {
        access_token: 'access-globus-5',
        token_type: 'Bearer',
        expires_in: 172_800,
        scope: GLOBUS_TRANSFER,
        resource_server: 'transfer.api.globus.org',
        issued_at: issued,
        expires_at: issued + 172_800,
      },
      'refresh-of-transfer.api.globus.org-4',
      'user-1',
    ]);
    await renewDue();
    expect(site.lastForm()).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'refresh-of-transfer.api.globus.org-4',
    });
    expect(site.file('use')).toMatchObject({
      access_token: 'access-globus-6',
      scope: GLOBUS_TRANSFER,
    });
    expect(site.point.lines).toEqual([
      'Successfully renewed alice/mytok (oauth), good for 172800 s',
    ]);
  });
});

describe('Keycloak', () => {
  it.each([
    ['P21 the default scopes of a realm are accepted', undefined],
    ['P22 with EXTRA_SCOPES = email, iss and session_state in the callback', 'email'],
  ])('%s', async (_, extra) => {
    site = await startSite(KEYCLOAK, { knobs: { CREDMON_mytok_EXTRA_SCOPES: extra } });
    await site.signIn({ scopes: 'openid, profile' });
    await renewDue();
    expect([site.file('use')['access_token'], refreshToken()]).toEqual([
      'access-keycloak-5',
      'refresh-keycloak-4',
    ]);
  });
});
