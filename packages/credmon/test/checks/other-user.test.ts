// What `check` says when it runs as a user to whom the daemon's directories are closed.
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkAuditLog } from '@credmon/core/log';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runChecks } from '../../src/checks/context.ts';
import { checkAudit, checkLog } from '../../src/checks/installation.ts';
import { localChecks } from '../../src/checks/local.ts';
import { loginChecks } from '../../src/checks/logins.ts';
import { checkUserView } from '../../src/host/run-directory.ts';
import { checkTokens } from '../../src/checks/tokens.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

const closed = vi.hoisted(() => new Set<string>());
vi.mock(import('node:fs'), async (importOriginal) => {
  const real = await importOriginal();
  return {
    ...real,
    accessSync: (path, mode) => {
      if (closed.has(String(path)))
        throw Object.assign(new Error('permission denied'), { code: 'EACCES', syscall: 'access' });
      real.accessSync(path, mode);
    },
  };
});

let on: CheckBench;
beforeEach(() => {
  on = checkBench();
});
afterEach(() => {
  closed.clear();
  on.close();
});

it('does not say that the daemon is not running, or that users see nothing', async () => {
  const run = join(on.root, 'run');
  mkdirSync(run, { mode: 0o755 });
  closed.add(run).add(on.credDir);
  const found = await on.findings({ CREDMON_RUN_DIR: run }, async (context) => [
    checkUserView(context),
    ...(await checkTokens(context)),
  ]);
  expect(found).toEqual([
    "warning users' view: permission denied: cannot check $R/run as this user; fix: run the command as root",
    expect.stringMatching(
      /^error credential directory: the credential directory \$R\/creds is not readable, writable/,
    ),
    'warning daemon: permission denied: cannot check the daemon as this user; fix: run the command as root',
  ]);
});

const HIDDEN = 'permission denied: cannot check $R';
const AS_ROOT = 'as this user; fix: run the command as root';

describe('what only root may read', () => {
  const knobs = (): Record<string, string> => {
    const [secret, key, log] = ['secret', 'key.pem', 'Log'].map((name) => on.file(name, 'x'));
    for (const path of [secret, key, log, on.credDir]) closed.add(path ?? '');
    return {
      mytok_CLIENT_ID: 'x',
      mytok_CLIENT_SECRET_FILE: secret ?? '',
      mytok_AUTHORIZATION_URL: 'http://127.0.0.1:9/a',
      mytok_TOKEN_URL: 'http://127.0.0.1:9/t',
      LOCAL_CREDMON_PROVIDER_NAMES: 'here',
      LOCAL_CREDMON_TOKEN_AUDIENCE: 'ANY',
      LOCAL_CREDMON_PRIVATE_KEY: key ?? '',
      CREDMON_OAUTH_LOG: log ?? '',
      CREDMON_AUDIT_LOG: log ?? '',
    };
  };
  const findings = (): Promise<string[]> =>
    on.findings(knobs(), async (context) => [
      checkLog(context.settings),
      ...checkAudit(context),
      ...(await checkTokens(context)),
      ...(await runChecks([...loginChecks(context), ...localChecks(context, undefined)])),
    ]);

  it('is not an error for an ordinary user, who is told to be root', async () => {
    const uid = vi.spyOn(process, 'geteuid').mockReturnValue(65_534);
    const found = await findings();
    uid.mockRestore();
    expect(found.filter((one) => one.startsWith('error') && !one.includes('127.0.0.1'))).toEqual(
      [],
    );
    expect(found.filter((one) => one.includes('permission denied'))).toEqual([
      `warning log: ${HIDDEN}/Log ${AS_ROOT}`,
      `warning audit log: ${HIDDEN}/Log ${AS_ROOT}`,
      `warning credential directory: ${HIDDEN}/creds ${AS_ROOT}`,
      `warning daemon: permission denied: cannot check the daemon ${AS_ROOT}`,
      `warning mytok (login): ${HIDDEN}/secret ${AS_ROOT}`,
      `warning here (signed here): ${HIDDEN}/key.pem ${AS_ROOT}`,
    ]);
  });

  it('is an error for the user as whom the daemon runs', async () => {
    const found = await findings();
    expect(found.filter((one) => one.includes(AS_ROOT))).toEqual([
      `warning daemon: permission denied: cannot check the daemon ${AS_ROOT}`,
    ]);
    expect(found.filter((one) => /^error (?:log|audit log|credential)/.test(one))).toHaveLength(3);
  });
});

describe('an audit log that the daemon and the portal share', () => {
  const OWN = 'CREDMON_WEB.CREDMON_AUDIT_LOG';
  const login = {
    CONDOR_IDS: '64001.64001',
    mytok_CLIENT_ID: 'x',
    mytok_AUTHORIZATION_URL: 'http://127.0.0.1:9/a',
    mytok_TOKEN_URL: 'http://127.0.0.1:9/t',
  };
  const found = (more: Record<string, string>): Promise<string[]> =>
    on.findings({ ...login, ...more }, (context) => Promise.resolve(checkAudit(context)));

  it.runIf(process.geteuid?.() === 0)('is a warning with the knob for a second file', async () => {
    const log = on.file('Audit', '');
    for (const owner of [0, 64_001]) {
      chownSync(log, owner, owner);
      expect((await found({ CREDMON_AUDIT_LOG: log })).slice(1)).toEqual([
        'warning audit log: the portal writes to the same file as another user, and one of the ' +
          `two cannot write; fix: ${OWN} = /var/log/condor/CredmonWebAuditLog`,
      ]);
      expect(await found({ CREDMON_AUDIT_LOG: log, [OWN]: '/var/log/b' })).toEqual([
        'ok audit log: goes to $R/Audit',
      ]);
    }
  });

  it('is an error of the portal with the same knob, if it cannot write', () => {
    const log = on.file('Audit', '');
    closed.add(log);
    const rules = { credentialDirectory: on.credDir, owners: [], separate: `${OWN} = /b` };
    expect(checkAuditLog(log, rules)).toEqual([
      {
        what: 'audit log',
        state: 'error',
        text: `this process cannot write ${log} (EACCES), and entries are lost; fix: ${OWN} = /b`,
      },
    ]);
  });
});
