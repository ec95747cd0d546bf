// `--check`: checks everything that the portal needs, sends one harmless request to each
// issuer, and changes nothing.
import { accessSync, constants, existsSync, lstatSync, statSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { checkCredentialDirectory } from '@credmon/core/store';
import { createMetadataCache } from '@credmon/core/oauth';
import {
  clearAddressText,
  createSend,
  createTrust,
  DEFAULT_SEND_LIMITS,
  hasErrors,
  isCoded,
  type CodedError,
  shellWord,
  trustText,
  type Send,
  type Trust,
  messageOf,
  messageWithFix,
  readSafely,
  systemClock,
  systemCode,
  ok,
  warning,
  wrong,
  type Finding,
} from '@credmon/core/base';
import { secretMistake, warningText, type Config } from '@credmon/core/config';
import {
  checkAuditLog,
  checkLogFile,
  PORTAL_AUDIT_KNOB,
  PORTAL_AUDIT_LINE,
} from '@credmon/core/log';
import { checkProxy } from './check-proxy.ts';
import { checkKnobs, configuredProviders, checkAddresses, type Provider } from '../check/knobs.ts';
import { trustFunction } from '../host/listen.ts';
import { openPublicKeys } from '../host/served-files.ts';
import { publicKeySet } from '../routes/public.ts';
import { checkRunning } from '../session-store/running-portal.ts';
import { sessionDirectoryProblem } from '../session-store/session-directory.ts';
import { readSettings } from '../settings/read.ts';
import type { ListenAddress, Settings } from '../settings/settings.ts';

/** The maximum size of a secret file, in bytes. */
const LARGEST_SECRET = 64 * 1024;

/** Checks a configuration; `listen` is the value of --listen. */
export async function checkConfiguration(
  config: Config,
  listen?: ListenAddress,
): Promise<readonly Finding[]> {
  let settings: Settings;
  try {
    settings = readSettings(config, listen);
  } catch (error) {
    if (!isCoded(error)) throw error;
    return checkKnobs(config, mistakesOf(error));
  }
  return runChecks(config, settings);
}

/** Splits an error of the configuration into its mistakes, each on its line. */
export function mistakesOf(error: CodedError): string[] {
  const texts = error.message.split('\n');
  return texts.length > 1 ? texts.slice(1) : texts;
}

/** Runs all checks of a valid configuration. */
export async function runChecks(config: Config, settings: Settings): Promise<readonly Finding[]> {
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
      ...checkAddresses(config, settings, provider),
      ...checkSecret(provider, settings),
      ...(await checkIssuer(provider, settings, send)),
    ]),
  );
  await close();
  const knobs = checkKnobs(config);
  return [
    ...(hasErrors(knobs) ? [] : [ok('configuration', 'is valid')]),
    ...knobs,
    ...config.warnings.map((one) => warning('configuration', warningText(one))),
    ...(settings.names?.problems ?? []).map(({ name, text }) => warning(`provider ${name}`, text)),
    ok('address', `users open ${settings.prefix}`),
    ...checkListen(settings),
    check('proxies', 'are valid addresses and networks', () =>
      trustFunction(settings.trustedProxies, settings.listen),
    ),
    check('credential directory', `${settings.credentialDirectory} can be read and written`, () =>
      checkCredentialDirectory(settings.credentialDirectory, {
        create: false,
        condor: settings.condorIds,
      }),
    ),
    await checkSessions(settings, trust),
    checkRunning(settings),
    ...checkSocket(settings),
    checkLog(settings),
    ...checkAudit(config, settings),
    ...checkTrust(trust),
    ...(await checkProxy(settings, trust)),
    ...(providers.length === 0
      ? [warning('providers', 'no <PROVIDER>_CLIENT_ID is set: users cannot get tokens here')]
      : found.flat()),
    await checkPublicKeys(config, settings),
  ];
}

function check(what: string, okText: string, test: () => unknown): Finding {
  try {
    test();
    return ok(what, okText);
  } catch (error) {
    return wrong(what, messageOf(error));
  }
}

async function checkSessions(settings: Settings, trust: Trust): Promise<Finding> {
  const { sessionStore: address } = settings;
  if (!address) return checkSessionDirectory(settings);
  const what = 'session store';
  const odd =
    address.passwordFile === undefined ? undefined : contentFinding(what, address.passwordFile);
  if (odd) return odd;
  try {
    const { openRedis } = await import('../session-store/redis-link.ts');
    const link = await openRedis(address, () => undefined, trust);
    const { text } = await link.run('session', 'count', {});
    await link.close();
    return ok(what, `is reachable, ${text} sessions`);
  } catch (error) {
    return wrong(what, messageOf(error));
  }
}

/**
 * Does not create the directory: if root created it, the user of the portal could not use
 * it.
 */
function checkSessionDirectory({ sessionDirectory: path }: Settings): Finding {
  const what = 'session directory';
  if (!existsSync(path)) {
    return existsSync(dirname(path))
      ? ok(what, `${path} will be created at the first start`)
      : wrong(what, `CREDMON_WEB_SESSION_DIR ${path}: ${dirname(path)} does not exist`);
  }
  const problem = sessionDirectoryProblem(path);
  if (problem !== undefined) return wrong(what, `CREDMON_WEB_SESSION_DIR ${path}: ${problem}`);
  return check(what, `${path} can be written`, () =>
    accessSync(path, constants.W_OK | constants.X_OK),
  );
}

/** The portal has no TLS of its own. */
function checkListen({ listen }: Settings): readonly Finding[] {
  if (listen.kind !== 'tcp') return [];
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  const text = clearAddressText(`${host}:${listen.port}`);
  return text === undefined ? [] : [warning('address', text)];
}

function checkSocket({ listen }: Settings): readonly Finding[] {
  if (listen.kind !== 'unix') return [];
  const folder = dirname(listen.path);
  const what = 'socket';
  const status = statSync(folder, { throwIfNoEntry: false });
  if (!status)
    return [
      wrong(
        what,
        `its directory ${folder} is missing (its group must be that of the proxy); ` +
          `fix: install -d -o condor -g www-data -m 2750 ${shellWord(folder)}`,
      ),
    ];
  if ((status.mode & 0o1002) === 0o002)
    return [
      wrong(
        what,
        `other users can replace it: ${folder} can be written by everybody; ` +
          `fix: chmod o-w ${shellWord(folder)}`,
      ),
    ];
  return [
    check(what, `${listen.path} can be created`, () =>
      accessSync(folder, constants.W_OK | constants.X_OK),
    ),
  ];
}

function checkLog({ log: { path } }: Settings): Finding {
  return path === undefined
    ? ok('log', 'goes to standard error')
    : checkLogFile(path, 'the portal would end with exit code 44');
}

function checkAudit(
  config: Config,
  { log, credentialDirectory, condorIds }: Settings,
): readonly Finding[] {
  if (log.audit === undefined) return [];
  const owners = [process.geteuid?.(), condorIds?.uid];
  const isOwn = config.get(PORTAL_AUDIT_KNOB) !== undefined;
  return checkAuditLog(log.audit.path, {
    credentialDirectory,
    owners,
    ...(isOwn ? {} : { separate: PORTAL_AUDIT_LINE }),
  });
}

/**
 * Reports the trusted certificate authorities. If the authority of an issuer is missing,
 * the check of the issuer reports it.
 */
function checkTrust(trust: Trust): readonly Finding[] {
  const what = 'certificates';
  const state = trust.current();
  return [ok(what, trustText(state)), ...state.problems.map((text) => warning(what, text))];
}

/**
 * CredD reads this file as root; this process may not be able to read it and checks only
 * its status.
 */
function checkSecret(
  { name, secretFile: path }: Provider,
  { condorIds: condor, credentialDirectory }: Settings,
): readonly Finding[] {
  const what = `secret of ${name}`;
  if (path === undefined)
    return [warning(what, `${name}_CLIENT_SECRET_FILE is not set: the client has no secret`)];
  // A relative path may be the secret itself.
  if (!isAbsolute(path))
    return [
      wrong(
        what,
        `${name}_CLIENT_SECRET_FILE (value not shown) is not an absolute path: ` +
          'it must be the path of a file that contains the secret',
      ),
    ];
  try {
    const status = statSync(path);
    if (!status.isFile()) return [wrong(what, `${path} is not a regular file`)];
    if (status.size === 0) return [wrong(what, `${path} is empty`)];
    if ((status.mode & 0o077) !== 0)
      return [wrong(what, `${path} can be read by others; fix: chmod go-rwx ${shellWord(path)}`)];
    if (![0, process.geteuid?.(), condor?.uid].includes(status.uid))
      return [
        wrong(what, `${path} belongs to user id ${status.uid}; fix: chown root ${shellWord(path)}`),
      ];
    if (status.uid !== 0 && ownerOf(credentialDirectory) === 0)
      return [
        wrong(
          what,
          `${path} belongs to user id ${status.uid}: CredD runs as root and reads no file of ` +
            `another user, so condor_submit fails; fix: chown root ${shellWord(path)}`,
        ),
      ];
    return [
      contentFinding(what, path) ?? ok(what, `${path} exists, and only its owner can read it`),
    ];
  } catch (error) {
    const code = systemCode(error) ?? 'unknown';
    if (code === 'EACCES')
      return [
        ok(
          what,
          `not checked: ${path} cannot be read as this user; ` +
            '"condor_credmon check", as root, checks it',
        ),
      ];
    return [wrong(what, `cannot stat ${path} (${code})`)];
  }
}

/** The user who owns the credential directory: the one as whom CredD runs. */
function ownerOf(directory: string): number | undefined {
  return statSync(directory, { throwIfNoEntry: false })?.uid;
}

/** Returns what a secret file contains besides the secret, if this process can read it. */
function contentFinding(what: string, path: string): Finding | undefined {
  const reading = readSafely(path, LARGEST_SECRET);
  const mistake = reading.kind === 'text' ? secretMistake(reading.text) : undefined;
  if (!mistake) return undefined;
  return { what, state: mistake.state, text: `${path} ${mistake.text}; fix: ${mistake.fix}` };
}

async function checkIssuer(
  { name, policy }: Provider,
  { allowLoopbackHttp, endpointOrigins: origins }: Settings,
  send: Send,
): Promise<readonly Finding[]> {
  const what = `issuer of ${name}`;
  const { issuer } = policy;
  if (issuer === undefined)
    return [
      warning(what, `CREDMON_${name}_ISSUER is not set: the issuer of a response is not verified`),
    ];
  try {
    await createMetadataCache({ lifetime: 0, allowLoopbackHttp, origins }).find(
      send,
      issuer,
      systemClock.now(),
      policy,
    );
    return [ok(what, `${issuer} is reachable, and its identifier matches`)];
  } catch (error) {
    // An issuer with another name refuses every sign-in; an outage may be over soon.
    const text = messageWithFix(error);
    return isCoded(error, 'ISSUER_MISMATCH')
      ? [wrong(what, `${text}; fix: correct CREDMON_${name}_ISSUER`)]
      : [warning(what, text)];
  }
}

async function checkPublicKeys(config: Config, { localIssuer }: Settings): Promise<Finding> {
  const what = 'public keys';
  const { publicKeyFile, keyDirectories = [], keyId } = localIssuer;
  const asked =
    keyDirectories.length > 0 || config.origin('LOCAL_CREDMON_PUBLIC_KEY')?.kind === 'file';
  if (!asked && lstatSync(publicKeyFile, { throwIfNoEntry: false }) === undefined)
    return ok(what, `none: no tokens are signed here (${publicKeyFile} does not exist)`);
  try {
    const ports = openPublicKeys(localIssuer);
    const keys = await publicKeySet({
      sets: ports.readKeySets(),
      pem: ports.readPublicKey(),
      keyId,
    });
    return ok(what, `${keys.length} published: ${keys.map(({ kid }) => kid).join(', ')}`);
  } catch (error) {
    return wrong(what, messageOf(error));
  }
}
