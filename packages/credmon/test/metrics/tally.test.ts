// Names of services in the metrics: those of the configuration, a bounded number of
// others, and never a user's.
import { expect, it } from 'vitest';
import { boundedNames, configuredName } from '../../src/metrics/tally.ts';
import { settingsWith } from '../support/access-point.ts';

const settings = settingsWith({
  CLIENT_CREDMON_PROVIDER_NAMES: 'site',
  CLIENT_CREDMON_CLIENT_ID: 'ap',
  CLIENT_CREDMON_CLIENT_SECRET_FILE: '/secret',
  CLIENT_CREDMON_ISSUER: 'https://issuer.example',
  MyTok_CLIENT_ID: 'me',
  MyTok_TOKEN_URL: 'https://issuer.example/token',
});

it.each([
  ['site', 'site'],
  ['Site', undefined],
  ['mytok', 'mytok'],
  ['MYTOK', 'mytok'],
  ['other-name', undefined],
])('%s is known as %s', (name, known) => {
  expect(configuredName(settings, name)).toBe(known);
});

it('unconfigured names are shown up to a limit, all others as one', () => {
  const nameOf = boundedNames((name) => configuredName(settings, name), 2);
  expect(['a', 'b', 'c', 'site', 'a', 'd'].map(nameOf)).toEqual([
    'a',
    'b',
    'other',
    'site',
    'a',
    'other',
  ]);
});
