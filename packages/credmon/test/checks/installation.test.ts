// What `check` says of the programs that condor_master starts, and of the portal's address.
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkDaemons, checkPortal } from '../../src/checks/installation.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

let on: CheckBench;
let own: string;
beforeEach(() => {
  on = checkBench();
  own = on.file('lib/condor_credmon.cjs', '#!/usr/bin/env node\n', 0o755);
});
afterEach(() => on.close());

const said = async (knobs: Record<string, string>): Promise<string[]> =>
  on.findings(
    { DAEMON_LIST: 'MASTER SCHEDD CREDD CREDMON_OAUTH', CREDMON_OAUTH: own, ...knobs },
    async (context) => checkDaemons(context, own),
  );
const fine = 'ok condor_master: starts $R/lib/condor_credmon.cjs';
const NO_CREDD =
  'warning condor_master: <Environment>: DAEMON_LIST has no CREDD: condor_submit cannot store credentials on this host; fix: DAEMON_LIST = $(DAEMON_LIST) CREDD';

it.each<[string, Record<string, string>, string[]]>([
  ['with all daemons', {}, [fine]],
  ['in lower case with commas', { DAEMON_LIST: 'master, schedd, credd, credmon_oauth' }, [fine]],
  ['without CREDD', { DAEMON_LIST: 'MASTER SCHEDD CREDMON_OAUTH' }, [NO_CREDD, fine]],
  [
    'without CREDD, which condor_master adds beside SCHEDD',
    { DAEMON_LIST: 'MASTER SCHEDD CREDMON_OAUTH', AUTO_INCLUDE_CREDD_IN_DAEMON_LIST: 'True' },
    [fine],
  ],
  [
    'without CREDD and SCHEDD',
    { DAEMON_LIST: 'MASTER CREDMON_OAUTH', AUTO_INCLUDE_CREDD_IN_DAEMON_LIST: 'True' },
    [NO_CREDD, fine],
  ],
  [
    'without CREDMON_OAUTH',
    { DAEMON_LIST: 'MASTER SCHEDD CREDD' },
    [
      'warning condor_master: <Environment>: DAEMON_LIST has no CREDMON_OAUTH: condor_master does not start condor_credmon; fix: DAEMON_LIST = $(DAEMON_LIST) CREDMON_OAUTH',
    ],
  ],
])('R45 a DAEMON_LIST %s', async (_, knobs, expected) => {
  expect(await said(knobs)).toEqual(expected);
});

it('R45 a DAEMON_LIST with the name of scitokens-credmon starts the daemon, too', async () => {
  const old = { DAEMON_LIST: 'MASTER, SCHEDD, CREDD, SEC_CREDENTIAL_MONITOR' };
  expect(await said({ ...old, SEC_CREDENTIAL_MONITOR: own })).toEqual([fine]);
  expect(await said({ ...old, SEC_CREDENTIAL_MONITOR: '/none/scitokens_credmon' })).toEqual([
    expect.stringMatching(
      /^error condor_master: cannot start SEC_CREDENTIAL_MONITOR = \/none\/scitokens_credmon \(ENOENT\); fix: SEC_CREDENTIAL_MONITOR = /,
    ),
  ]);
});

it('a DAEMON_LIST that is not set says nothing about this host', async () => {
  expect(await on.findings({}, async (context) => checkDaemons(context, own))).toEqual([]);
});

it('standing tokens alone need no CredD', async () => {
  const found = await said({
    DAEMON_LIST: 'MASTER COLLECTOR',
    CREDMON_STANDING_TOKENS: 'ce1',
    CREDMON_STANDING_PROVIDER: 'frontend',
    LOCAL_CREDMON_frontend_ISSUER: 'https://ap.example',
    CREDMON_STANDING_ce1_SCOPE: 'compute.read',
    CREDMON_STANDING_ce1_AUDIENCE: 'ce.example',
    CREDMON_STANDING_ce1_SUBJECT: 'me',
    CREDMON_STANDING_ce1_PATH: '/var/lib/ce1',
  });
  expect(found).toEqual([expect.stringMatching(/DAEMON_LIST has no CREDMON_OAUTH/)]);
});

it.each<[string, () => string, RegExp]>([
  [
    'a link to this program',
    () => {
      symlinkSync(own, join(on.root, 'condor_credmon_oauth'));
      return join(on.root, 'condor_credmon_oauth');
    },
    /^ok condor_master: starts \$R\/condor_credmon_oauth$/,
  ],
  [
    'another copy of this program',
    () => on.file('opt/condor_credmon.cjs', '#!/usr/bin/env node\n', 0o755),
    /^ok /,
  ],
  [
    'a script that runs this program',
    () => on.file('wrapper', '#!/bin/sh\nexec node /opt/condor_credmon.cjs "$@"\n', 0o755),
    /^ok /,
  ],
  [
    "HTCondor's own program",
    () => on.file('sbin/condor_credmon_oauth', '#!/usr/bin/python3\n', 0o755),
    /^warning condor_master: CREDMON_OAUTH = \$R\/sbin\/condor_credmon_oauth is a Python program such as HTCondor's own, not this one; fix: CREDMON_OAUTH = \$R\/lib\/condor_credmon\.cjs$/,
  ],
  [
    'another program',
    () => on.file('bin/other', '#!/bin/sh\n', 0o755),
    /^warning condor_master: CREDMON_OAUTH = \$R\/bin\/other is not this program; fix: /,
  ],
  [
    'no file',
    () => '/no/such/condor_credmon_oauth',
    /^error condor_master: cannot start CREDMON_OAUTH = \/no\/such\/condor_credmon_oauth \(ENOENT\); fix: CREDMON_OAUTH = /,
  ],
])('R45 CREDMON_OAUTH is %s', async (_, path, expected) => {
  expect(await said({ CREDMON_OAUTH: path() })).toEqual([expect.stringMatching(expected)]);
});

it('a program that cannot be executed cannot be started', async () => {
  const path = join(on.root, 'plain');
  writeFileSync(path, '', { mode: 0o644 });
  expect(await said({ CREDMON_OAUTH: path })).toEqual([
    expect.stringMatching(
      /^error condor_master: cannot start CREDMON_OAUTH = \S+ \(not executable\); fix: /,
    ),
  ]);
});

it.each([
  [{ CREDMON_WEB_LISTEN: '0.0.0.0:8081' }, 1],
  [{ 'CREDMON_WEB.CREDMON_WEB_LISTEN': '10.0.0.1:80' }, 1],
  [{ CREDMON_WEB_LISTEN: '127.0.0.1:8081' }, 0],
  [{ CREDMON_WEB_LISTEN: 'unix:/run/web.sock' }, 0],
  [{}, 0],
])('R45 a portal with %j is reported %d times', async (knobs, count) => {
  const found = await on.findings(knobs, async (context) => checkPortal(context));
  expect(found).toEqual(
    Array.from({ length: count }, () =>
      expect.stringMatching(/^warning web portal: the portal answers on .* without TLS /),
    ),
  );
});
