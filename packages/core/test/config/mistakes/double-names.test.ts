// Names with a client for logins that another list owns.
import { expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/machine/load.ts';
import { doubleNames } from '../../../src/config/mistakes/double-names.ts';

const NONE = { local: [], client: [], exchange: [], pelican: [], exec: [] };

it.each([
  [
    'local',
    'LOCAL_CREDMON_PROVIDER_NAMES (by default) lists mytok, so the daemon signs its tokens',
  ],
  ['client', 'CLIENT_CREDMON_PROVIDER_NAMES lists mytok, so the daemon fetches its tokens'],
  ['exchange', 'EXCHANGE_CREDMON_PROVIDER_NAMES lists mytok, so the daemon exchanges its tokens'],
  ['pelican', 'PELICAN_CREDMON_PROVIDER_NAMES lists mytok, so the daemon exchanges its tokens'],
  ['exec', 'EXEC_CREDMON_PROVIDER_NAMES lists mytok, so the daemon runs a program'],
])('R45 the list %s owns a name that has a client', (kind, text) => {
  const config = loadConfig({
    subsystem: 'CREDMON_OAUTH',
    env: { CONDOR_CONFIG: 'ONLY_ENV', _CONDOR_mytok_CLIENT_ID: 'a', _CONDOR_other_CLIENT_ID: 'b' },
  });
  expect(doubleNames(config, { ...NONE, [kind]: ['mytok', 'more'] })).toEqual([
    { name: 'mytok', text: expect.stringContaining(`users cannot log in: ${text}`) as string },
  ]);
  expect(doubleNames(config, NONE)).toEqual([]);
});
