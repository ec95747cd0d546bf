// What a person does next, by the error's code and the kind of provider.
import { expect, it } from 'vitest';
import { remediationFor, type StuckToken } from '../../src/report/remediation.ts';

const token: StuckToken = { user: 'alice', service: 'mytok', handle: '', provider: 'oauth' };
const remove = 'condor_store_cred delete-oauth -s mytok';
const add = 'condor_store_cred add-oauth -s mytok';

it.each([
  ['R9 a revoked grant is removed by its user', token, 'GRANT_REVOKED', ['alice', remove]],
  [
    'a handle is a part of the command',
    { ...token, handle: 'h1' },
    'GRANT_REVOKED',
    [`${remove} -H h1`],
  ],
  ['a broken file is removed, too', token, 'CRED_FILE_INVALID', [remove]],
  [
    'a token to exchange is stored again',
    { ...token, provider: 'exchange' },
    'GRANT_REVOKED',
    [`${add} -i FILE`],
  ],
  [
    'a rejected client is for the administrator',
    { ...token, provider: 'client' },
    'GRANT_REVOKED',
    ['ask the issuer why it rejects the client'],
  ],
  [
    "R9 a login that has ended in a Vault is renewed by its user, with the service's name",
    { ...token, provider: 'vault', handle: 'h1' },
    'GRANT_REVOKED',
    ['alice runs this', 'htgettoken', ': condor_credential_storer --force mytok'],
  ],
  [
    "a program's credential is stored again: CredD does not ask for it",
    { ...token, provider: 'exec' },
    'GRANT_REVOKED',
    [`alice stores another credential and submits again: ${add} -i FILE`],
  ],
  [
    'a token without an owner gets the general step',
    { ...token, provider: null },
    'GRANT_REVOKED',
    [remove],
  ],
  [
    'R43 names are quoted for a shell',
    { ...token, service: 'a b', handle: "o'k" },
    'GRANT_REVOKED',
    ["-s 'a b'", "-H 'o'"],
  ],
  ['a dollar sign in a name is literal', { ...token, user: '$&' }, 'GRANT_REVOKED', ['$&']],
])('%s', (_, stuck, code, parts) => {
  for (const part of parts) expect(remediationFor(stuck, code)).toContain(part);
  expect(remediationFor(stuck, code)).not.toMatch(/\{(?:user|delete|add|store)\}/);
});

it('a code without a short step has none', () => {
  expect(remediationFor(token, 'ISSUER_BUSY')).toBeUndefined();
  expect(remediationFor(token, 'toString')).toBeUndefined();
});
