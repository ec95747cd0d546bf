// ProviderLookup: every name has one owner or none.
import { describe, expect, it } from 'vitest';
import { ownerOf, overlaps, type ProviderLists } from '../../src/settings/lists.ts';

const lists: ProviderLists = {
  local: ['scitokens'],
  client: ['svc'],
  oauth2: '*',
  vault: '*',
  pelican: ['osdf'],
  exchange: ['swap'],
  exec: ['own'],
  specialNames: false,
};
const client = { hasClient: true, vaultEnabled: false };
const none = { hasClient: false, vaultEnabled: false };

describe('the owner of a token', () => {
  it.each([
    ['mytok', lists, client, 'oauth2'],
    ['mytok_h1', lists, client, 'oauth2'],
    ['mytok', lists, none, 'nobody'],
    ['mytok', lists, { hasClient: false, vaultEnabled: true }, 'vault'],
    ['mytok', lists, { hasClient: true, vaultEnabled: true }, 'oauth2'],
    ['scitokens', lists, client, 'local'],
    ['svc_x', lists, client, 'client'],
    ['osdf', lists, client, 'pelican'],
    ['swap_h1', lists, client, 'exchange'],
    ['own', lists, { hasClient: false, vaultEnabled: true }, 'exec'],
    ['box', { ...lists, oauth2: ['BOX'] }, client, 'nobody'],
    ['BOX', { ...lists, oauth2: ['BOX'] }, client, 'oauth2'],
    ['v', { ...lists, vault: ['v'] }, client, 'vault'],
    ['mytok_', lists, client, 'nobody'],
    ['a_b', { ...lists, specialNames: true, oauth2: ['a_b'] }, none, 'oauth2'],
  ] as const)('R19 %s belongs to one', (stem, given, facts, kind) => {
    expect(ownerOf(stem, given, facts).kind).toBe(kind);
  });

  it('R19 reports every overlap', () => {
    expect(
      overlaps({
        ...lists,
        oauth2: ['svc', 'a'],
        pelican: ['a', 'svc'],
        exchange: ['svc'],
        exec: ['a'],
      }),
    ).toEqual([
      { name: 'svc', kinds: ['client', 'oauth2', 'pelican', 'exchange'] },
      { name: 'a', kinds: ['oauth2', 'pelican', 'exec'] },
    ]);
  });
});

it('a client missing in a list is reported as such', () => {
  expect(ownerOf('mytok', { ...lists, oauth2: ['other'] }, client)).toEqual({
    kind: 'nobody',
    why: 'mytok has a client, but is not listed in OAUTH2_CREDMON_PROVIDER_NAMES',
  });
});
