// The configuration of the pool as condor_config_val of HTCondor 23.9 reads it, and as we do:
// every knob, its value and where it is set.
import { tmpdir } from 'node:os';
import { createPool, type Pool } from '@credmon/test-fixtures/pool/pool';
import { isPoolMissing } from '@credmon/test-fixtures/pool/root-directory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Knobs that differ between HTCondor 23.9 and 25.14, whose defaults are ours, and why. */
const VERSIONS: Readonly<Record<string, readonly string[]>> = {
  'the version and the host of its build': [
    'CONDOR_VERSION',
    'CONDOR_BUILD_PLATFORM',
    'PYTHON3_MODULE_SUFFIX',
    'PYTHON3_VERSION_MINOR',
  ],
  'another default since 23.9': [
    'FILETRANSFER_PLUGINS',
    'GRIDMANAGER_LOCK',
    'GRIDMANAGER_LOG',
    'HISTORY_HELPER_MAX_HISTORY',
    'JOB_EPOCH_HISTORY',
    'LVM_HIDE_MOUNT',
    'LVM_USE_THIN_PROVISIONING',
    'MODIFY_REQUEST_EXPR_REQUESTDISK',
    'SEC_CLAIMTOBE_INCLUDE_DOMAIN',
    'SUBMIT_SEND_RESCHEDULE',
    'SYSTEM_IMMUTABLE_JOB_ATTRS',
    'SYSTEM_SECURE_JOB_ATTRS',
    'SYSTEM_STARTD_JOB_ATTRS',
    'SYSTEM_VALID_SPOOL_FILES',
    'TRANSFER_JOB_ATTRS',
  ],
  'no default in 23.9; the pool sets the one of 25.14': ['USE_PID_NAMESPACES'],
  'the template OAUTH of 23.9 adds a comma': ['DAEMON_LIST'],
  'no knob of 25.14': [
    'BIOTECH',
    'COLLECTOR_REPEAT_STARTD_ADS',
    'CREDD_ARGS',
    'CREDD_PORT',
    'DAGMAN_COPY_TO_SPOOL',
    'ECRYPTFS_ADD_PASSPHRASE',
    'ECRYPTFS_KEY_TIMEOUT',
    'ENABLE_STDOUT_TESTING',
    'ENCRYPT_EXECUTE_DIRECTORY_FILENAMES',
    'GRIDMANAGER_PER_JOB',
    'JOB_ROUTER_USE_DEPRECATED_ROUTER_ENTRIES',
    'NAMED_CHROOT',
    'SEC_INVALIDATE_SESSIONS_VIA_TCP',
    'SEC_SCITOKENS_ALLOW_EXTRA_SLASH',
    'STARTD_SENDS_ALIVES',
    'STARTER_HANDLES_ALIVES',
  ],
  'set by 23.9 also with ENABLE_IPV6 = False': ['IPV6_ADDRESS'],
};

/** Another value in each process: its number, and a random number. */
const PROCESS = ['PID', 'PPID', 'PERIODIC_CHECKPOINT'];

/** A knob: its text, its value, and where it is set (without the place inside a template). */
interface Knob {
  readonly raw: string;
  readonly value: string;
  readonly at: string;
}
type Knobs = ReadonlyMap<string, Knob>;

const DEFAULT = '<Default>';
const placeOf = (at: string): string => at.replace(/, use .*/, '');

/** What `condor_config_val -dump -verbose` prints. */
function knobsOfHTCondor(dump: string): Knobs {
  const knobs = new Map<string, Knob>();
  const pattern = /^(\S+) =[ ]?(.*)\n # at: (.*)\n(?: # raw: .*\n)? # expanded: ?(.*)$/gm;
  for (const [, name = '', raw = '', at = '', value = ''] of dump.matchAll(pattern))
    knobs.set(name.toUpperCase(), { raw, value, at: placeOf(at) });
  return knobs;
}

/** What `condor_credmon config dump --json` prints. */
function ourKnobs(dump: string): Knobs {
  type Row = Readonly<Record<'name' | 'raw' | 'value' | 'origin', string | null>>;
  const rows = JSON.parse(dump) as readonly Row[];
  return new Map(
    rows.map(({ name, raw, value, origin }) => [
      (name ?? '').toUpperCase(),
      { raw: raw ?? '', value: value ?? '', at: placeOf(origin ?? DEFAULT) },
    ]),
  );
}

describe.skipIf(isPoolMissing())('the configuration of a pool', () => {
  let pool: Pool;
  beforeAll(async () => {
    pool = await createPool(tmpdir());
    await pool.addProvider('mytok');
    pool.configure({
      'MASTER.CREDMON_OAUTH_LOG': '$(LOG)/Other',
      POOL_LIST: '$(CREDMON_OAUTH_LOG:none), $INT(NUM_CPUS), $Fnx(CREDMON_OAUTH)',
      POOL_SELF: 'one',
    });
    pool.configure({ POOL_SELF: '$(POOL_SELF) two' });
  });
  afterAll(() => pool.remove());

  const htcondor = async (): Promise<Knobs> =>
    knobsOfHTCondor(await pool.must(['condor_config_val', '-dump', '-verbose']));
  const ours = async (): Promise<Knobs> =>
    ourKnobs(await pool.must(['condor_credmon', 'config', 'dump', '-n', 'TOOL', '--json']));

  it('is the same for condor_config_val, but for the differences of the versions', async () => {
    const [theirs, own] = [await htcondor(), await ours()];
    expect(theirs.size).toBeGreaterThan(1100);
    const known = new Set(Object.values(VERSIONS).flatMap((names) => names.map(upperCase)));
    const different = [...theirs].filter(([name, knob]) => !isSame(knob, own.get(name)));
    const unknown = different.filter(([name]) => !known.has(name) && !PROCESS.includes(name));
    expect(unknown.map(([name, knob]) => [name, knob, own.get(name)])).toEqual([]);
    const names = new Set(different.map(([name]) => name));
    expect([...known].filter((name) => !names.has(name))).toEqual([]);
  });

  it('has only for us what is a default of 25.14, or a knob of our own', async () => {
    const [theirs, own] = [await htcondor(), await ours()];
    const more = [...own].filter(([name, { at }]) => !theirs.has(name) && at !== DEFAULT);
    expect(more).toEqual([]);
  });

  it('is printed by config get as by condor_config_val, also with -v', async () => {
    for (const name of ['POOL_LIST', 'POOL_SELF', 'mytok_TOKEN_URL', 'CREDMON_WEB_PREFIX']) {
      const value = await pool.must(['condor_config_val', name]);
      expect(await pool.must(['condor_credmon', 'config', 'get', name])).toBe(value);
      const verbose = await pool.must(['condor_config_val', '-verbose', name]);
      const own = await pool.must(['condor_credmon', 'config', 'get', '-v', name]);
      expect(own.trim().split('\n')).toEqual(verbose.trim().split('\n'));
    }
    for (const command of [['condor_config_val'], ['condor_credmon', 'config', 'get']])
      expect(await pool.run([...command, 'NOT_THERE'])).toMatchObject({
        code: 1,
        output: 'Not defined: NOT_THERE\n',
      });
  });

  it('includes the file that is named after the system', async () => {
    pool.write('/etc/condor/os/Debian13.conf', 'CREDMON_RENEW_FRACTION = 0.3\n');
    pool.write(
      '/etc/condor/config.d/91-system.conf',
      'include : /etc/condor/os/$(OPSYSANDVER).conf\n',
    );
    const included = { raw: '0.3', value: '0.3', at: '/etc/condor/os/Debian13.conf, line 1' };
    for (const knobs of [await htcondor(), await ours()])
      expect(knobs.get('CREDMON_RENEW_FRACTION')).toEqual(included);
  });
});

function upperCase(name: string): string {
  return name.toUpperCase();
}

function isSame(theirs: Knob, own: Knob | undefined): boolean {
  return theirs.raw === own?.raw && theirs.value === own.value && theirs.at === own.at;
}
