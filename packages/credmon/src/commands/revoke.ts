// `revoke`: revokes a user's tokens at their issuers and removes their files, with or
// without a running daemon; and the ports of revocation: files and the audit log.
import type { Subcommand } from '../command-line/command.ts';
import { openConfig } from '../command-line/open-config.ts';
import { recoveries } from '../daemon/cleanup.ts';
import { runningDaemon } from '../daemon/pid-and-complete.ts';
import { ownerOfToken } from '../daemon/provider-lookup.ts';
import { readSecretFile, secretVersion } from '../host/secret-file.ts';
import {
  createPelicanSend,
  createProcessTrust,
  createVaultSend,
  namedTrustOf,
} from '../host/tls-ca.ts';
import { STANDING } from '../providers/standing/ports.ts';
import type { RevocationFiles, TokenName } from '../revocation/files.ts';
import { type RevocationReport, needsPerson, rowOf, sentenceOf } from '../revocation/report.ts';
import { type RevocationContext, revokeOne } from '../revocation/revoke-token.ts';
import { createRevoker, issuerToAsk, throttled } from '../revocation/revoker.ts';
import type { ProviderKind } from '../settings/lists.ts';
import { type Settings, readSettings } from '../settings/read.ts';
import { renewalPolicies, withOwnLifetime } from '../settings/policy.ts';
import { existingDirectory } from '../status/tokens.ts';
import { type Limiter, createLimiter } from '../throttle/issuer-queues.ts';
import {
  CodedError,
  createSend,
  isAlive,
  isCoded,
  systemClock,
  systemCode,
  systemRandom,
} from '@credmon/core/base';
import {
  type TokenFileKind,
  type TokenSnapshot,
  classifyUserEntry,
  cutDomain,
  isCredName,
  tokenFileName,
  tokenId,
} from '@credmon/core/credential';
import { type LogOptions, type Logger, openLog } from '@credmon/core/log';
import { dueOf } from '@credmon/core/renewal';
import {
  type CredentialStore,
  inUserDirectory,
  openCredentialDirectory,
  readCredentialFile,
} from '@credmon/core/store';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

type RevokeCommand = Subcommand & { kind: 'revoke' };

/** Milliseconds for one line to syslog: a blocked logger must not stop a revocation. */
const SYSLOG_TIMEOUT = 5000;

/** Standard output and standard error of a command. */
export interface Output {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/**
 * Revokes and removes tokens. Exit code 0 when nothing is left to do; 1 when a token is
 * kept, or could not be revoked at an issuer.
 * @throws CodedError when nothing was tried: invalid names, no such token, invalid
 * configuration
 */
export async function runRevokeCommand(
  command: RevokeCommand,
  env: NodeJS.ProcessEnv,
  { stdout, stderr }: Output,
): Promise<number> {
  const user = userOf(command);
  const config = openConfig(command, env);
  const settings = readSettings(config, {
    ...command,
    logFile: undefined,
    debug: false,
    verbose: false,
  });
  const directory = existingDirectory(settings);
  const { credDir, policy, limits } = settings;
  const store = openCredentialDirectory(directory, { defaultLifetime: policy.defaultLifetime });
  const tokens = await tokensOf(user, command.service, store, settings, stderr);
  const trust = createProcessTrust(() => namedTrustOf(settings), stderr);
  const { send, close } = createSend({ ...limits, trust: trust.general });
  const context: RevocationContext = {
    files: revocationFiles(directory, store),
    clock: systemClock,
    prepare: createRevoker(settings, {
      secretVersion,
      random: systemRandom,
      clock: systemClock,
      send,
      vaultSend: createVaultSend(settings.vault, limits, trust),
      pelicanSend: createPelicanSend(settings.pelicanCaFile, limits, trust) ?? send,
      readSecret: readSecretFile,
    }),
  };
  const audit = await openAudit(settings.log, stderr);
  const reportResult = (report: RevocationReport): RevocationReport => {
    const sentence = sentenceOf(report, requester());
    if (!report.left) audit(sentence);
    if (!command.json) stdout(sentence);
    return report;
  };
  const named = command.service !== undefined;
  const throttle = createLimiter({
    cap: () => settings.perIssuer,
    steady: () => systemClock.steady(),
  });
  const all = await Promise.all(
    tokens.map(async (token) =>
      reportResult(await revokeOwned(token, settings, context, { audit, named, throttle })),
    ),
  );
  await close();
  if (command.json) stdout(JSON.stringify({ directory: credDir, tokens: all.map(rowOf) }, null, 2));
  return all.some(needsPerson) ? 1 : 0;
}

function userOf({ user }: RevokeCommand): string {
  if (user === STANDING)
    throw new CodedError(
      'USAGE',
      'a standing token belongs to no user and would be written again; remove its name ' +
        'from CREDMON_STANDING_TOKENS, then remove its file',
    );
  const name = cutDomain(user);
  if (isCredName(name)) return name;
  throw new CodedError(
    'USAGE',
    `${JSON.stringify(user)} is not a valid user name of a credential directory`,
  );
}

/**
 * Returns the selected tokens. Leftovers of dead processes are recovered first, so that a
 * rotated refresh token is revoked, too.
 */
async function tokensOf(
  user: string,
  service: string | undefined,
  store: CredentialStore,
  settings: Settings,
  stderr: (text: string) => void,
): Promise<readonly TokenSnapshot[]> {
  const { credDir } = settings;
  const scan = (): ReturnType<CredentialStore['scan']> =>
    store.scan({ wall: systemClock.now(), steady: systemClock.steady() });
  const first = await scan();
  const leftovers = (await recoveries({ ...first, keyFiles: [] }, systemClock.now())).filter(
    ({ path }) => path.startsWith(`${user}/`),
  );
  for (const { path, target } of leftovers) store.settle(path, target);
  const { tokens, problems } = leftovers.length === 0 ? first : await scan();
  for (const problem of problems) stderr(problem);
  const ofUser = tokens
    .filter((token) => token.user === user)
    .map((token) => withOwnLifetime(token, settings));
  const selected = service === undefined ? ofUser : ofUser.filter(({ stem }) => stem === service);
  if (selected.length > 0) return selected;
  const others = ofUser.map(({ stem }) => stem).join(', ');
  throw new CodedError(
    'CRED_FILE_IO',
    service === undefined || others === ''
      ? `no token of ${user} in ${credDir}`
      : `no token ${user}/${service} in ${credDir}; tokens of ${user}: ${others}`,
    { user },
  );
}

/** True when a daemon may be renewing the token now: the result would be missed. */
function mayBeRenewed(
  kind: ProviderKind,
  token: TokenSnapshot,
  settings: Settings,
): true | undefined {
  const now = systemClock.now();
  const policy = renewalPolicies(settings)(token.stem);
  const isNotRenewable = kind === 'local' || kind === 'vault';
  return !isNotRenewable &&
    dueOf(token, policy, now).at <= now &&
    runningDaemon(settings.credDir) !== undefined
    ? true
    : undefined;
}

/** What the tokens of one command share. */
interface Shared {
  readonly audit: (text: string) => void;
  readonly named: boolean;
  readonly throttle: Limiter;
}

async function revokeOwned(
  token: TokenSnapshot,
  settings: Settings,
  context: RevocationContext,
  { audit, named, throttle }: Shared,
): Promise<RevocationReport> {
  const { user, stem } = token;
  const owner = ownerOfToken(token, settings);
  if (owner.kind === 'nobody') {
    const why = `no provider owns it (${owner.why}); fix: condor_store_cred delete-oauth`;
    return {
      user,
      stem,
      provider: null,
      result: { kind: 'kept', why },
      ...(named ? {} : { left: true as const }),
    };
  }
  const provider = owner.kind === 'oauth2' ? 'oauth' : owner.kind;
  const issuer = issuerToAsk(owner.kind, token, settings);
  return throttled(throttle, issuer, token, async () => {
    // If this process dies now, the log says who started it.
    audit(`revoking ${tokenId(token)} (${provider}) as ${requester()} asked`);
    const renewing = mayBeRenewed(owner.kind, token, settings);
    const result = await revokeOne(owner.kind, token, context);
    return {
      user,
      stem,
      provider,
      result,
      ...(renewing && result.kind === 'removed' ? { renewing } : {}),
    };
  });
}

/** Returns the files of the credential directory `root`. */
export function revocationFiles(root: string, store: CredentialStore): RevocationFiles {
  const entries = ({ user }: TokenName): readonly string[] =>
    inUserFiles(root, user, (home) => readdirSync(home)) ?? [];
  return {
    store,
    readUse: ({ user, stem }) => {
      const name = tokenFileName(stem, 'use');
      const reading = inUserFiles(root, user, (home) => readCredentialFile(join(home, name)));
      return reading?.kind === 'text' ? reading.text : undefined;
    },
    present: (token) =>
      entries(token).flatMap((name): readonly TokenFileKind[] => {
        const entry = classifyUserEntry(name);
        const ours =
          entry.kind !== 'temporary' && entry.kind !== 'other' && entry.stem === token.stem;
        return ours ? [entry.kind] : [];
      }),
    beingWritten: (token) =>
      entries(token).some((name) => {
        const entry = classifyUserEntry(name);
        if (entry.kind !== 'temporary') return false;
        const target = classifyUserEntry(entry.target);
        return 'stem' in target && target.stem === token.stem && isAlive(entry.pid);
      }),
  };
}

/** Runs `act` in a user's directory; `undefined` when it cannot be opened. */
function inUserFiles<T>(root: string, user: string, act: (home: string) => T): T | undefined {
  try {
    return inUserDirectory(root, user, act);
  } catch (error) {
    if (systemCode(error) === undefined && !isCoded(error)) throw error;
    // Swept meanwhile, or not accessible: the removal of a file there reports it.
    return undefined;
  }
}

/** Returns the user id for the audit log. */
export function requester(): string {
  const uid = process.getuid?.();
  return uid === undefined ? 'unknown user' : `user id ${uid}`;
}

/**
 * Opens the audit log: the daemon's log, or syslog if that cannot be opened; if both
 * fail, `warn` gets the line. The file is never rotated here: the daemon has it open. The
 * function returns whether the line was logged.
 */
export async function openAudit(
  options: LogOptions,
  warn: (text: string) => void,
): Promise<(text: string) => boolean> {
  const log = await openForAudit(options, warn);
  return (text) => {
    if (log?.audit(text) === true) return true;
    const line = ['-t', 'condor_credmon', '-p', 'auth.notice', '--', `Audit: ${text}`];
    const isLogged =
      spawnSync('logger', line, { stdio: 'ignore', timeout: SYSLOG_TIMEOUT }).status === 0;
    if (!isLogged)
      warn(`neither the log file nor syslog is available for this audit line: ${text}`);
    return isLogged;
  };
}

async function openForAudit(
  options: LogOptions,
  warn: (text: string) => void,
): Promise<Logger | undefined> {
  if (options.path === undefined) return undefined;
  try {
    const fixed = { stderr: false, maxBytes: 0, maxSeconds: 0, truncate: false };
    return await openLog({ ...options, ...fixed });
  } catch (error) {
    if (!isCoded(error, 'LOG_UNWRITABLE')) throw error;
    warn(`${error.message}; audit lines are written to syslog`);
    return undefined;
  }
}
