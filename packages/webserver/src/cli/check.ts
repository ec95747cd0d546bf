// `--check`: looks at everything that the server will need, asks every issuer one
// harmless question, and changes nothing.
import { accessSync, constants, existsSync, lstatSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { checkCredentialDirectory } from '@credmon/core/store';
import { createMetadataCache } from '@credmon/core/oauth';
import {
  createSend,
  createTrust,
  DEFAULT_SEND_LIMITS,
  trustText,
  type Send,
  type Trust,
  messageOf,
  systemClock,
  systemCode,
} from '@credmon/core/base';
import { warningText, type Config } from '@credmon/core/config';
import { ok, warning, wrong, type Finding } from '../check/finding.ts';
import { lookAtProxy } from './check-proxy.ts';
import { configuredProviders, judgeAddresses, type Provider } from '../check/provider-knobs.ts';
import { trustFunction } from '../host/listen.ts';
import { openPublicKeys } from '../host/public-key-files.ts';
import { publicKeySet } from '../routes/public-keys.ts';
import { sessionDirectoryProblem } from '../session-store/session-directory.ts';
import type { Settings } from '../settings/settings.ts';

/** Everything that is to be said of a configuration that could be read. */
export async function lookAround(config: Config, settings: Settings): Promise<readonly Finding[]> {
  const { connectSeconds, requestSeconds: totalSeconds, namedTrust } = settings;
  const trust = createTrust({ named: () => namedTrust });
  const { send, close } = createSend({
    ...DEFAULT_SEND_LIMITS,
    connectSeconds,
    totalSeconds,
    trust,
  });
  const providers = configuredProviders(config, settings);
  const found = await Promise.all(
    providers.map(async (provider) => [
      ...judgeAddresses(config, settings, provider),
      ...lookAtSecret(provider),
      ...(await lookAtIssuer(provider, settings, send)),
    ]),
  );
  await close();
  return [
    ok('configuration', 'has no mistakes'),
    ...config.warnings.map((one) => warning('configuration', warningText(one))),
    ...(settings.names?.problems ?? []).map(({ name, text }) => warning(`provider ${name}`, text)),
    ok('address', `users come to ${settings.prefix}`),
    lookAt('proxies', 'are addresses and networks', () =>
      trustFunction(settings.trustedProxies, settings.listen),
    ),
    lookAt('credential directory', `${settings.credentialDirectory} can be read and written`, () =>
      checkCredentialDirectory(settings.credentialDirectory, {
        create: false,
        condor: settings.condorIds,
      }),
    ),
    await lookAtSessions(settings, trust),
    ...lookAtSocket(settings),
    ...lookAtTrust(trust),
    ...(await lookAtProxy(settings, trust)),
    ...(providers.length === 0
      ? [warning('providers', 'no <PROVIDER>_CLIENT_ID is set: nobody can ask for a token here')]
      : found.flat()),
    await lookAtPublicKeys(config, settings),
  ];
}

function lookAt(what: string, fine: string, look: () => unknown): Finding {
  try {
    look();
    return ok(what, fine);
  } catch (error) {
    return wrong(what, messageOf(error));
  }
}

async function lookAtSessions(settings: Settings, trust: Trust): Promise<Finding> {
  const { sessionStore: address } = settings;
  if (!address) return lookAtSessionDirectory(settings);
  const what = 'session store';
  try {
    const { openRedis } = await import('../session-store/redis-link.ts');
    const link = await openRedis(address, () => undefined, trust);
    const { text } = await link.run('session', 'count', {});
    await link.close();
    return ok(what, `answers, and keeps ${text} sessions`);
  } catch (error) {
    return wrong(what, messageOf(error));
  }
}

/**
 * A directory that root would make here, the server's user could not use: so nothing is
 * made.
 */
function lookAtSessionDirectory({ sessionDirectory: path }: Settings): Finding {
  const what = 'session directory';
  if (!existsSync(path)) {
    return existsSync(dirname(path))
      ? ok(what, `${path} is made at the first start`)
      : wrong(what, `CREDMON_WEB_SESSION_DIR ${path}: ${dirname(path)} does not exist`);
  }
  const problem = sessionDirectoryProblem(path);
  if (problem !== undefined) return wrong(what, `CREDMON_WEB_SESSION_DIR ${path}: ${problem}`);
  return lookAt(what, `${path} can be written`, () =>
    accessSync(path, constants.W_OK | constants.X_OK),
  );
}

function lookAtSocket({ listen }: Settings): readonly Finding[] {
  if (listen.kind !== 'unix') return [];
  const folder = dirname(listen.path);
  return [
    lookAt('socket', `${listen.path} can be made`, () =>
      accessSync(folder, constants.W_OK | constants.X_OK),
    ),
  ];
}

/** Whom TLS trusts; an issuer whose authority is missing says so where it is asked. */
function lookAtTrust(trust: Trust): readonly Finding[] {
  const what = 'certificates';
  const state = trust.current();
  return [ok(what, trustText(state)), ...state.problems.map((text) => warning(what, text))];
}

/**
 * CredD reads the file, as root: this process need not be able to, and only looks at it.
 */
function lookAtSecret({ name, secretFile: path }: Provider): readonly Finding[] {
  const what = `secret of ${name}`;
  if (path === undefined)
    return [warning(what, `${name}_CLIENT_SECRET_FILE is not set: a client without a secret`)];
  try {
    const status = statSync(path);
    if (!status.isFile()) return [wrong(what, `${path} is not a regular file`)];
    if (status.size === 0) return [wrong(what, `${path} is empty`)];
    if ((status.mode & 0o077) !== 0)
      return [wrong(what, `${path} can be read by others; fix: chmod go-rwx ${path}`)];
    return [ok(what, `${path} is there, for its owner alone`)];
  } catch (error) {
    const code = systemCode(error) ?? 'unknown';
    if (code === 'EACCES')
      return [ok(what, `${path} cannot be checked as this user: permission denied`)];
    return [wrong(what, `${path} cannot be looked at (${code})`)];
  }
}

async function lookAtIssuer(
  { name, issuer }: Provider,
  { allowLoopbackHttp }: Settings,
  send: Send,
): Promise<readonly Finding[]> {
  const what = `issuer of ${name}`;
  if (issuer === undefined)
    return [
      warning(what, `CREDMON_${name}_ISSUER is not set: who answers a sign-in is not compared`),
    ];
  try {
    await createMetadataCache({ lifetime: 0, allowLoopbackHttp }).find(
      send,
      issuer,
      systemClock.now(),
    );
    return [ok(what, `${issuer} is reachable, and its identifier matches`)];
  } catch (error) {
    return [warning(what, messageOf(error))];
  }
}

async function lookAtPublicKeys(config: Config, { localIssuer }: Settings): Promise<Finding> {
  const what = 'public keys';
  const { publicKeyFile, keyDirectories = [], keyId } = localIssuer;
  const asked =
    keyDirectories.length > 0 || config.origin('LOCAL_CREDMON_PUBLIC_KEY')?.kind === 'file';
  if (!asked && lstatSync(publicKeyFile, { throwIfNoEntry: false }) === undefined)
    return ok(what, `none: no tokens are signed here (there is no ${publicKeyFile})`);
  try {
    const ports = openPublicKeys(localIssuer);
    const keys = await publicKeySet({
      sets: ports.readKeySets(),
      pem: ports.readPublicKey(),
      keyId,
    });
    return ok(what, `${keys.length} published as ${keys.map(({ kid }) => kid).join(', ')}`);
  } catch (error) {
    return wrong(what, messageOf(error));
  }
}
