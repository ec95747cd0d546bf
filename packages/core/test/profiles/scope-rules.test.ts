// Requested and granted scopes, by the three policies.
import { describe, expect, it } from 'vitest';
import {
  compareGrant,
  containsScope,
  differenceNote,
  shownScopes,
  widerText,
  type ScopeRules,
} from '../../src/profiles/scope-rules.ts';
import { GENERIC_POLICY, policyOf, readIssuerPolicies } from '../../src/profiles/policy.ts';
import type { ProfileName } from '../../src/profiles/profile.ts';
import { readText } from '../config/read-text.ts';
import { createKnobReader } from '../../src/config/typed/knob-reader.ts';

const CONTAINED = GENERIC_POLICY.scopes;
const EXACT: ScopeRules = { ...CONTAINED, policy: 'exact' };
const ISSUER: ScopeRules = { ...CONTAINED, policy: 'issuer' };

/** The rules of a provider with this profile and no other knob. */
function rulesOf(profile: ProfileName): ScopeRules {
  const config = readText(`CREDMON_p_PROFILE = ${profile}\n`);
  return policyOf(readIssuerPolicies(config, createKnobReader(config), false), 'p').scopes;
}

describe('R30 every policy', () => {
  it.each([
    ['as requested, in another order', 'a,b', 'b a', [], []],
    ['fewer', 'a b', 'a', [], ['b']],
    ['more', 'a', 'a b', ['b'], []],
    ['others', 'a', 'A', ['A'], ['a']],
    ['none', 'a', '', [], ['a']],
    ['unsaid', 'a', undefined, [], []],
    ['something, without a request', '', 'a b', [], []],
  ])('granted %s', (_, asked, granted, wider, narrower) => {
    for (const rules of [EXACT, CONTAINED, ISSUER])
      expect(compareGrant(rules, asked, granted)).toEqual({
        refused: rules.policy === 'issuer' ? [] : wider,
        wider,
        narrower,
      });
  });

  it('accepts a scope of EXTRA_SCOPES', () => {
    for (const rules of [EXACT, CONTAINED, ISSUER])
      expect(compareGrant({ ...rules, extra: ['admin'] }, 'a', 'a admin').refused).toEqual([]);
  });
});

describe('R30 scope policy contained', () => {
  it.each([
    ['storage.read:/', 'storage.read:/home/alice'],
    ['storage.read:/', 'storage.read:/'],
    ['storage.read:/store', 'storage.read:/store/'],
    ['storage.read:/store/', 'storage.read:/store/user'],
    ['storage.modify:/a', 'storage.modify:/a/b/c'],
    ['storage.create:/a', 'storage.create:/a/b'],
    ['storage.stage:/a', 'storage.stage:/a/b'],
    ['read:/a', 'read:/a/b'],
    ['write:/', 'write:/x'],
    ['read:/run%202', 'read:/run%202/out'],
    ['read:/home/%62ob', 'read:/home/bob/x'],
    ['read:/caf%C3%A9', 'read:/café/x'],
    ['read:/home', 'read:/home/a%20b'],
  ])('%s contains %s', (wide, narrow) => {
    expect(containsScope(wide, narrow)).toBe(true);
    expect(compareGrant(CONTAINED, wide, narrow).refused).toEqual([]);
    const byText = wide === narrow ? [] : [narrow];
    expect(compareGrant(EXACT, wide, narrow).refused).toEqual(byText);
  });

  it.each([
    ['another authorization', 'storage.read:/', 'storage.modify:/a'],
    ['a path beside it', 'storage.read:/home/al', 'storage.read:/home/alice'],
    ['a path above it', 'storage.read:/home/alice', 'storage.read:/home'],
    ['a parent directory', 'read:/a', 'read:/a/../b'],
    ['a dot segment', 'read:/a', 'read:/a/./b'],
    ['an escape', 'read:/a', 'read:/a/%2e%2e/b'],
    ['an invalid escape', 'read:/a', 'read:/a/%q1'],
    ['a double escape', 'read:/a', 'read:/a/b%2562'],
    ['an escape that is not UTF-8', 'read:/a', 'read:/a/%E9'],
    ['an encoded separator', 'read:/a', 'read:/a%2fb'],
    ['a path that differs after decoding', 'read:/home/%62ob', 'read:/home/%63ob'],
    ['a backslash', 'read:/a', 'read:/a/..\\b'],
    ['an empty segment', 'read:/a', 'read:/a//b'],
    ['a relative path', 'read:a', 'read:a/b'],
    ['a group', 'wlcg.groups:/wlcg', 'wlcg.groups:/wlcg/pilots'],
    ['a capability set', 'wlcg.capabilityset:/dune', 'wlcg.capabilityset:/dune/prod'],
    ['a request without a path', 'read', 'read:/a'],
  ])('refuses %s', (_, asked, granted) => {
    expect(compareGrant(CONTAINED, asked, granted).refused).toEqual([granted]);
    expect(compareGrant(ISSUER, asked, granted).refused).toEqual([]);
  });

  it('compares a grant decoded, but a request also as verifiers read it that do not decode', () => {
    const [wide, narrow] = ['read:/home/bob', 'read:/home/%62ob/x'];
    expect(compareGrant(CONTAINED, wide, narrow).refused).toEqual([]);
    expect(containsScope(wide, narrow)).toBe(false);
  });

  it('accepts scopes without authority over data', () => {
    const granted = 'a openid profile email offline_access';
    expect(compareGrant(CONTAINED, 'a', granted)).toEqual({ refused: [], wider: [], narrower: [] });
    expect(compareGrant(EXACT, 'a', granted).refused).toEqual([
      'openid',
      'profile',
      'email',
      'offline_access',
    ]);
  });

  it('does not report such a scope that was not granted', () => {
    expect(compareGrant(CONTAINED, 'a offline_access', 'a').narrower).toEqual([]);
  });

  it.each<[ProfileName, string, string]>([
    ['google', 'email', 'openid https://www.googleapis.com/auth/userinfo.email'],
    ['google', 'https://www.googleapis.com/auth/userinfo.email', 'email'],
    ['microsoft', 'Files.Read', 'https://graph.microsoft.com/Files.Read profile openid email'],
    ['microsoft', 'https://graph.microsoft.com/Files.Read', 'Files.Read User.Read'],
    ['microsoft', 'Files.Read', 'Files.Read https://graph.microsoft.com/User.Read'],
    ['microsoft', 'files.read', 'HTTPS://graph.microsoft.com/Files.Read openid user.read'],
    ['microsoft', 'api://AB-cd/Read', 'api://ab-CD/read'],
    ['keycloak', 'openid', 'openid email profile'],
    ['dropbox', 'files.content.read', 'files.content.read account_info.read'],
  ])('%s: accepts for %s the grant %s', (profile, asked, granted) => {
    expect(compareGrant(rulesOf(profile), asked, granted)).toMatchObject({
      refused: [],
      narrower: [],
    });
  });

  it.each<[ProfileName, string, string, string]>([
    [
      'google',
      'email',
      'email https://www.googleapis.com/auth/drive',
      'https://www.googleapis.com/auth/drive',
    ],
    ['microsoft', 'Files.Read', 'Files.ReadWrite', 'Files.ReadWrite'],
    ['microsoft', 'files.read', 'Files.ReadWrite', 'Files.ReadWrite'],
    ['google', 'openid', 'OpenID', 'OpenID'],
    ['microsoft', 'onedrive.readonly', 'onedrive.readwrite', 'onedrive.readwrite'],
    [
      'dropbox',
      'files.content.read',
      'files.content.read files.content.write',
      'files.content.write',
    ],
  ])('%s: refuses for %s the grant %s', (profile, asked, granted, refused) => {
    expect(compareGrant(rulesOf(profile), asked, granted).refused).toEqual([refused]);
  });
});

describe('R30 many scopes', () => {
  it('are compared in a time that grows with their number alone', () => {
    const many = (prefix: string, count: number): string =>
      Array.from({ length: count }, (_, index) => `${prefix}${index}`).join(' ');
    const took = (asked: string, granted: string): number => {
      const start = process.cpuUsage();
      compareGrant(CONTAINED, asked, granted);
      return process.cpuUsage(start).user;
    };
    const granted = many('storage.read:/g', 1000);
    took(many('a', 10), granted);
    const few = Math.max(took(many('a', 100), granted), 1000);
    expect(took(many('a', 1000), granted)).toBeLessThan(20 * few);
  });
});

describe('R30 the message', () => {
  it('names every refused scope whole, as a line for EXTRA_SCOPES', () => {
    const refused = ['openid', 'https://www.googleapis.com/auth/userinfo.email'];
    expect(widerText('gdrive', 'gdrive', CONTAINED, refused)).toContain(
      'CREDMON_gdrive_EXTRA_SCOPES = openid https://www.googleapis.com/auth/userinfo.email',
    );
  });

  it('keeps the scopes that the knob already has', () => {
    const rules = { ...CONTAINED, extra: ['offline_access'] };
    expect(widerText('p', 'p', rules, ['admin'])).toContain(
      'CREDMON_p_EXTRA_SCOPES = offline_access admin',
    );
  });

  it.each([
    ['api://0f5e4d1c-8f7a-4f0e-9b36-3f1a2b4c5d6e/access_as_user', true],
    ['https://graph.microsoft.com/DeviceManagementManagedDevices.PrivilegedOperations.All', true],
    ['storage.read:/store/user', true],
    ['eyJhbGciOiJub25lIn0.e30.', false],
    ['ya29.a0AfH6SMBx3q7sWn1r5t8y2u4i6o9p0', false],
    ['0123456789abcdef0123456789abcdef', false],
    ['x'.repeat(300), false],
    ['a\u0007', false],
  ])('%j is shown: %s', (scope, isShown) => {
    expect(shownScopes([scope])).toBe(isShown ? scope : '[...]');
  });

  it('says how many scopes are left out of a long list', () => {
    const many = Array.from({ length: 70 }, (_, index) => `s${index}`);
    expect(shownScopes(many)).toMatch(/ s59 and 10 more$/);
  });

  it('notes differences under the policy issuer', () => {
    const difference = compareGrant(ISSUER, 'wlcg.capabilityset:/dune', 'storage.read:/dune');
    expect(differenceNote(ISSUER, difference)).toBe(
      'the issuer also granted storage.read:/dune; ' +
        'the issuer did not grant wlcg.capabilityset:/dune',
    );
    expect(differenceNote(CONTAINED, compareGrant(CONTAINED, 'a', 'a'))).toBeUndefined();
  });
});
