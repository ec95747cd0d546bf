// What is said of tokens whose life is too short: by whom they are read, and who can lengthen it.
import { expect, it } from 'vitest';
import { shortLifeText } from '../src/life-left.ts';

it.each([
  [
    'local',
    'a job may read x with only 5 s left; set LOCAL_CREDMON_TOKEN_LIFETIME higher, or lower SEC_CREDENTIAL_REFRESH',
  ],
  [
    'vault',
    'a job may read x with only 5 s left; raise CREDMON_OAUTH_TOKEN_MINIMUM, or lower SEC_CREDENTIAL_REFRESH',
  ],
  [
    'standing',
    'a service may read x with only 5 s left; set CREDMON_STANDING_LIFETIME higher, or ask its issuer for longer lifetimes',
  ],
  [
    'oauth2',
    'a job may read x with only 5 s left; ask the issuer for longer lifetimes, or lower SEC_CREDENTIAL_REFRESH',
  ],
])('R18 a token of a %s provider', (provider, text) => {
  expect(shortLifeText('x', provider, 5)).toBe(text);
});
