// Tokens that need no login: condor_submit waits for them, and the daemon signs or fetches
// them at CredD's signal.
import { tmpdir } from 'node:os';
import { createPool, POOL_PREFIX, type Pool } from '@credmon/test-fixtures/pool/pool';
import { isPoolMissing } from '@credmon/test-fixtures/pool/root-directory';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobEvent, submit } from './pool-jobs.ts';
import { logged } from './pool-logs.ts';
import { accessTokenIn, changedFile, STORE_CRED, tokenFile, tokenFiles } from './pool-tokens.ts';

const AUDIENCE = 'https://storage.pool.test';
const WHY = 'LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT does not allow a token for bob';
const MAP = '/etc/condor/groups.map';

describe.skipIf(isPoolMissing())('tokens without a login', () => {
  let pool: Pool;
  beforeAll(async () => {
    pool = await createPool(tmpdir());
    pool.write(MAP, '* alice cms\n');
    pool.configure({
      // The list is ours; HTCondor 23.9 knows the single name only.
      LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens',
      LOCAL_CREDMON_PROVIDER_NAME: 'scitokens',
      LOCAL_CREDMON_ISSUER: POOL_PREFIX,
      LOCAL_CREDMON_TOKEN_AUDIENCE: AUDIENCE,
      LOCAL_CREDMON_TOKEN_LIFETIME: '40 min',
      LOCAL_CREDMON_AUTHZ_TEMPLATE: 'read:/user/{username}',
      LOCAL_CREDMON_AUTHZ_GROUP_MAPFILE: MAP,
      LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT: 'cms',
    });
    await pool.startMaster();
    await pool.startPortal();
  });
  afterAll(() => pool.remove());

  /** Submits a job that prints its token, if it needs one; condor_submit must accept it. */
  const submitted = async (user: string, service?: string): Promise<string> => {
    const script = service === undefined ? 'true' : `cat "$_CONDOR_CREDS/${service}.use"`;
    const lines = service === undefined ? [] : [`use_oauth_services = ${service}`];
    const { name, output } = await submit(pool, { user, script, lines });
    expect(output).toMatch(/1 job\(s\) submitted to cluster/);
    return name;
  };
  /** What the job has printed. */
  const printed = async (user: string, name: string): Promise<string> => {
    await jobEvent(pool, user, name, /Job terminated/);
    return pool.read(`/home/${user}/${name}.out`);
  };
  /** As a storage verifies a token: with the keys that its issuer publishes. */
  const verified = async (token: string): Promise<unknown> =>
    JSON.parse(
      await pool.must(
        [
          'scitokens',
          'token',
          'verify',
          '-',
          '--issuer',
          POOL_PREFIX,
          '--audience',
          AUDIENCE,
          '--json',
        ],
        { input: token },
      ),
    );

  it('condor_store_cred add-oauth: signed at once, and valid by the keys of the portal', async () => {
    await pool.must([STORE_CRED, 'add-oauth', '-s', 'scitokens', '-i', '-'], {
      user: 'alice',
      input: 'any text',
    });
    const use = await tokenFile(pool, 'alice/scitokens.use');
    expect(await verified(accessTokenIn(use))).toMatchObject({
      claims: { sub: 'alice', scope: 'read:/user/alice' },
    });
  });

  it('condor_submit stores the request of the one local provider, and waits for the token', async () => {
    await pool.must([STORE_CRED, 'delete-oauth', '-s', 'scitokens'], { user: 'alice' });
    expect(tokenFiles(pool, 'alice')).toEqual([]);
    await submitted('alice');
    expect(tokenFiles(pool, 'alice')).toEqual(['scitokens.top', 'scitokens.use']);
    const inJob = accessTokenIn(await printed('alice', await submitted('alice', 'scitokens')));
    expect(await verified(inJob)).toMatchObject({ claims: { sub: 'alice' } });
  });

  it('a refused user: an empty token, so that condor_submit returns; a corrected map counts', async () => {
    await submitted('bob');
    const refused = await tokenFile(pool, 'bob/scitokens.use');
    expect(accessTokenIn(refused)).toBe('');
    const status = await pool.run(['condor_credmon', 'status', '--user', 'bob']);
    expect(status.code).toBe(1);
    expect(status.output).toMatch(
      /^bob +scitokens +scitokens \(local\) +EXPIRED .* USER_REFUSED$/m,
    );
    expect(status.output).toContain(WHY);
    expect(pool.log('CredMonOAuthLog')).toContain(
      `bob/scitokens: ${WHY}; not tried again until the rules, the map file or the request change\n`,
    );
    pool.write(MAP, '* alice cms\n* bob cms\n');
    await pool.must(['condor_reconfig']);
    const use = await changedFile(pool, 'bob/scitokens.use', refused);
    expect(await verified(accessTokenIn(use))).toMatchObject({ claims: { sub: 'bob' } });
    expect((await pool.run(['condor_credmon', 'status', '--user', 'bob'])).code).toBe(0);
  });

  it('client credentials: condor_submit waits until the issuer has given the token', async () => {
    const { issuer } = await pool.addProvider('idp');
    const [clientId, clientSecret] = ['site-client', 'secret-of-the-site-client'];
    const grants = ['client_credentials'] as const;
    await issuer.addClient({ clientId, clientSecret, redirectUris: [], grants });
    pool.write('/etc/condor/oauth/site.secret', `${clientSecret}\n`, 0o600);
    pool.configure({
      // CredD of HTCondor 23.9 has no list of clients, and asks for one local provider only.
      LOCAL_CREDMON_PROVIDER_NAME: 'site',
      CLIENT_CREDMON_PROVIDER_NAMES: 'site',
      CREDMON_REQUEST_TIMEOUT: 600,
      CLIENT_CREDMON_site_CLIENT_ID: clientId,
      CLIENT_CREDMON_site_CLIENT_SECRET_FILE: '/etc/condor/oauth/site.secret',
      CLIENT_CREDMON_site_ISSUER: issuer.url,
      CLIENT_CREDMON_site_AUTHZ_TEMPLATE: 'read',
    });
    await logged(pool, 'CredMonOAuthLog', /Configuration read again/, () =>
      pool.must(['condor_reconfig']),
    );
    await issuer.setFault('held');
    let isOver = false;
    const submission = submitted('alice').finally(() => {
      isOver = true;
    });
    await issuer.log.until((log) => log.requests.some(({ client }) => client === clientId));
    expect(tokenFiles(pool, 'alice')).toContain('site.top');
    expect(tokenFiles(pool, 'alice')).not.toContain('site.use');
    expect(isOver).toBe(false);
    await issuer.setFault();
    await submission;
    const use = await tokenFile(pool, 'alice/site.use');
    expect(await verifyToken(issuer, accessTokenIn(use))).toMatchObject({ scope: 'read' });
    const inJob = accessTokenIn(await printed('alice', await submitted('alice', 'site')));
    expect(await verifyToken(issuer, inJob)).toMatchObject({ scope: 'read' });
  });
});
