// Standing tokens that HTCondor itself accepts: condor_ping and condor_submit -spool with
// nothing but a token that the daemon has signed and whose keys the portal publishes.
import { tmpdir } from 'node:os';
import { createPool, POOL_PREFIX, type Pool } from '@credmon/test-fixtures/pool/pool';
import { isPoolMissing } from '@credmon/test-fixtures/pool/root-directory';
import type { Output } from '@credmon/test-fixtures/pool/namespace';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const AUDIENCE = 'vm.pool.test:9718';
const DIRECTORY = '/var/lib/tokens';

describe.skipIf(isPoolMissing())('a standing token', () => {
  let pool: Pool;
  beforeAll(async () => {
    pool = await createPool(tmpdir());
    await pool.must(['install', '-d', '-m', '755', DIRECTORY]);
    pool.write(
      '/etc/condor/token-map',
      String.raw`SCITOKENS /^https:\/\/vm\.pool\.test,pilot-(wlcg|scitoken|reader)$/ alice` + '\n',
    );
    pool.configure({
      LOCAL_CREDMON_ISSUER: POOL_PREFIX,
      LOCAL_CREDMON_frontend_TOKEN_VERSION: 'wlcg',
      LOCAL_CREDMON_own_TOKEN_VERSION: 'scitoken:2.0',
      CREDMON_STANDING_TOKENS: 'wlcg, scitoken, reader, stranger, elsewhere',
      // bob holds the tokens, and they say who he is to HTCondor.
      CREDMON_STANDING_OWNER: 'bob',
      CREDMON_STANDING_AUDIENCE: AUDIENCE,
      CREDMON_STANDING_PROVIDER: 'own',
      CREDMON_STANDING_SCOPE: 'condor:/READ condor:/WRITE',
      CREDMON_STANDING_wlcg_PROVIDER: 'frontend',
      CREDMON_STANDING_wlcg_SCOPE: 'compute.read compute.modify compute.create compute.cancel',
      CREDMON_STANDING_reader_SCOPE: 'condor:/READ',
      CREDMON_STANDING_elsewhere_AUDIENCE: 'ce.example.org:9619',
      ...Object.fromEntries(
        ['wlcg', 'scitoken', 'reader', 'stranger', 'elsewhere'].flatMap((name) => [
          [`CREDMON_STANDING_${name}_PATH`, `${DIRECTORY}/${name}`],
          [`CREDMON_STANDING_${name}_SUBJECT`, `pilot-${name === 'elsewhere' ? 'wlcg' : name}`],
        ]),
      ),
      SEC_DEFAULT_AUTHENTICATION_METHODS: 'FS, IDTOKENS, SCITOKENS',
      SCITOKENS_SERVER_AUDIENCE: AUDIENCE,
      CERTIFICATE_MAPFILE: '/etc/condor/token-map',
      CERTIFICATE_MAPFILE_ASSUME_HASH_KEYS: 'True',
      AUTH_SSL_SERVER_CERTFILE: '/etc/ssl/certs/vm.pool.test.pem',
      AUTH_SSL_SERVER_KEYFILE: '/etc/ssl/private/vm.pool.test.key',
      AUTH_SSL_CLIENT_CAFILE: '/etc/ssl/certs/ca-certificates.crt',
    });
    await pool.startMaster();
    await pool.startPortal();
  });
  afterAll(() => pool.remove());

  /** Runs a command of bob's that has nothing but the token to show. */
  const withToken = (name: string, command: readonly string[]): Promise<Output> =>
    pool.run(command, {
      user: 'bob',
      environment: {
        _condor_SEC_CLIENT_AUTHENTICATION_METHODS: 'SCITOKENS',
        _condor_SCITOKENS_FILE: `${DIRECTORY}/${name}`,
      },
    });
  const ping = (name: string): Promise<Output> =>
    withToken(name, ['condor_ping', '-type', 'SCHEDD', '-table', 'READ', 'WRITE']);

  it('is a file of its owner', async () => {
    expect(
      await pool.must(['stat', '-c', '%U %a', `${DIRECTORY}/wlcg`, `${DIRECTORY}/scitoken`]),
    ).toBe('bob 600\nbob 600\n');
  });

  it.each(['scitoken', 'wlcg'])('condor_ping: %s may READ and WRITE', async (name) => {
    const { code, output } = await ping(name);
    expect(output).toMatch(/^ +READ +SCITOKENS .* ALLOW alice@pool\.test *$/m);
    expect(output).toMatch(/^ +WRITE +SCITOKENS .* ALLOW alice@pool\.test *$/m);
    expect(code).toBe(0);
  });

  it.each([
    ['without the scope for WRITE', 'reader', 'ALLOW'],
    ['of a subject that the map file does not have', 'stranger', 'FAIL'],
    ['for another audience', 'elsewhere', 'FAIL'],
  ])('condor_ping: a token %s is not enough', async (_, name, read) => {
    const { code, output } = await ping(name);
    expect(output).toMatch(new RegExp(`^ +READ .* ${read} `, 'm'));
    expect(output).toMatch(/^ +WRITE .* FAIL /m);
    expect(code).toBe(1);
  });

  it('condor_submit -spool: the job runs as the account in the map file', async () => {
    pool.write('/home/bob/hello.sh', '#!/bin/sh\nid -un; cat input\n', 0o755);
    pool.write('/home/bob/input', 'hello\n');
    pool.write(
      '/home/bob/spooled.sub',
      [
        'executable = hello.sh',
        'output = hello.out',
        'transfer_input_files = input',
        'should_transfer_files = yes',
        'request_memory = 64',
        'request_disk = 1024',
        'queue',
        '',
      ].join('\n'),
    );
    const submitted = await withToken('scitoken', [
      'sh',
      '-c',
      'cd && condor_submit -spool spooled.sub',
    ]);
    expect(submitted.output).toMatch(/1 job\(s\) submitted to cluster 1\./);
    await waitUntil(
      async () => {
        const command = ['condor_q', '-all', '-af', 'Owner', 'JobStatus', 'HoldReason'];
        const { stdout } = await withToken('scitoken', command);
        if (/^\S+ 5 (?!undefined|Spooling)/m.test(stdout)) throw new Error(stdout);
        return /^alice 4 /m.test(stdout);
      },
      { what: 'the end of the job', every: 0.3 },
    );
    await withToken('scitoken', ['condor_transfer_data', '-all']);
    expect(pool.read('/home/bob/hello.out')).toBe('alice\nhello\n');
  });
});
