// A token's life with the programs of a root directory: check, portal, sign-in, daemon.
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loginThroughPortal } from '@credmon/test-fixtures/browsers/browserless-login';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { writeKeyFile } from '@credmon/test-fixtures/files/credd';
import { freePort } from '@credmon/test-fixtures/processes/free-port';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { startIssuer } from '@credmon/test-fixtures/servers/issuer';
import type { CleanRoot } from './clean-root.ts';

/** A user's token that the daemon of the root directory renews. */
export interface SignIn {
  /** What `condor_credmon check` printed. */
  readonly checked: string;
  /** The number of renewals since the sign-in. */
  renewals(): number;
  /** The names of the user's files, without those that a renewal writes at this moment. */
  files(): string[];
  /** Stops the daemon and starts the one that is installed now. */
  restartDaemon(): Promise<void>;
  /** Resolves with true after one more renewal. */
  nextRenewal(): Promise<boolean>;
  /** Stops the daemon and the portal. */
  stop(): Promise<void>;
  /** Stops all, the issuer too. */
  end(): Promise<void>;
}

const CREDENTIALS = '/var/lib/condor/oauth_credentials';
const SECRET = 'a-secret-of-the-package-test';

/** Writes the configuration, signs a user in through the portal, and starts the daemon. */
export async function signInAndRenew(
  root: CleanRoot,
  { user, service, programs = '/usr/bin' }: { user: string; service: string; programs?: string },
): Promise<SignIn> {
  const issuer = await startIssuer({ name: 'issuer', accessTokenTtl: 20 });
  const listen = `127.0.0.1:${await freePort()}`;
  const prefix = `http://${listen}`;
  const clientId = `${service}-client`;
  const redirectUri = `${prefix}/return/${service}`;
  await issuer.addClient({ clientId, clientSecret: SECRET, redirectUris: [redirectUri] });
  writeConfiguration();
  await root.sh(
    `install -d -o root -g condor -m 2770 ${CREDENTIALS} && install -d -o condor -g condor /var/log/condor`,
  );

  const checked = await root.sh(`${programs}/condor_credmon check`);
  const portal = root.start('condor', [`${programs}/condor_credmon_webserver`, '--listen', listen]);
  await portal.printed(/ serves \S+ on \S+,/);
  const ad = {
    Handle: '',
    Scopes: '',
    Audience: '',
    ClientId: clientId,
    Provider: service,
    TokenUrl: issuer.tokenUrl,
    LocalUser: user,
    ReturnUrl: redirectUri,
    ClientSecret: SECRET,
    AuthorizationUrl: issuer.authorizationUrl,
  };
  const { path, url } = writeKeyFile(root.path(CREDENTIALS), prefix, [ad]);
  root.give(path, 'condor');
  await loginThroughPortal(url);

  let daemon = await startDaemon();
  const renewals = (): number => issuer.log.successes('refresh_token').length;
  const nextRenewal = async (): Promise<boolean> => {
    const before = renewals();
    return waitUntil(() => renewals() > before, { what: 'a renewal' });
  };
  await nextRenewal();

  function writeConfiguration(): void {
    const secretFile = `/etc/condor/oauth/${service}.secret`;
    const write = (name: string, text: string, mode: number): void => {
      mkdirSync(dirname(root.path(name)), { recursive: true });
      writeFileSync(root.path(name), text);
      chmodSync(root.path(name), mode);
    };
    write(secretFile, `${SECRET}\n`, 0o600);
    write('/etc/condor/condor_config', 'LOCAL_CONFIG_DIR = /etc/condor/config.d\n', 0o644);
    const knobs = {
      LOG: '/var/log/condor',
      SEC_CREDENTIAL_DIRECTORY_OAUTH: CREDENTIALS,
      TRUST_CREDENTIAL_DIRECTORY: 'True',
      DAEMON_LIST: 'MASTER CREDD CREDMON_OAUTH',
      CREDMON_OAUTH: `${programs}/condor_credmon`,
      CREDMON_WEB_PREFIX: prefix,
      CREDMON_ALLOW_LOOPBACK_HTTP: 'True',
      [`${service}_CLIENT_ID`]: clientId,
      [`${service}_CLIENT_SECRET_FILE`]: secretFile,
      [`${service}_RETURN_URL_SUFFIX`]: `/return/${service}`,
      [`${service}_AUTHORIZATION_URL`]: issuer.authorizationUrl,
      [`${service}_TOKEN_URL`]: issuer.tokenUrl,
      [`CREDMON_${service}_ISSUER`]: issuer.url,
    };
    const lines = Object.entries(knobs).map(([name, value]) => `${name} = ${value}\n`);
    write('/etc/condor/config.d/70-test.conf', lines.join(''), 0o644);
  }

  async function startDaemon(): Promise<Child> {
    const child = root.start('root', [`${programs}/condor_credmon`, '--verbose']);
    await child.printed(/\n/);
    return child;
  }

  const stop = async (): Promise<void> => {
    await Promise.all([daemon.stop(), portal.stop()]);
  };
  return {
    checked,
    renewals,
    files: () =>
      readdirSync(join(root.path(CREDENTIALS), user))
        .filter((name) => !name.startsWith('.'))
        .sort(),
    restartDaemon: async () => {
      await daemon.stop();
      daemon = await startDaemon();
    },
    nextRenewal,
    stop,
    end: async () => {
      await stop();
      await issuer.close();
    },
  };
}
