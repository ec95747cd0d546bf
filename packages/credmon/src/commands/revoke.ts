// `revoke`: revokes a user's tokens at their issuers and removes their files, with or
// without a running daemon; and the files as a port of revocation.
import type { Subcommand } from '../command-line/command.ts';
import { openConfig } from '../command-line/open-config.ts';
import { deferErrors, openAudit, requester } from './audit.ts';
import { recoveries } from '../daemon/cleanup.ts';
import { runningDaemon } from '../daemon/pid-and-complete.ts';
import { ownerOfToken } from '../daemon/provider-lookup.ts';
import type { Questions } from '../host/questions.ts';
import { readSecretFile, secretVersion } from '../host/secret-file.ts';
import {
  createPelicanSend,
  createProcessTrust,
  createVaultSend,
  namedTrustOf,
} from '../host/tls-ca.ts';
import { STANDING } from '../providers/standing/ports.ts';
import { revokedEntry } from '../report/audit-report.ts';
import type { RevocationFiles, TokenName } from '../revocation/files.ts';
import {
  type PreviewReport,
  type RevocationReport,
  needsPerson,
  previewRow,
  previewSentence,
  rowOf,
  sentenceOf,
  wouldNeedPerson,
} from '../revocation/report.ts';
import { type RevocationContext, previewOne, revokeOne } from '../revocation/revoke-token.ts';
import { createRevoker, issuerToAsk, throttled } from '../revocation/revoker.ts';
import type { ProviderKind } from '../settings/lists.ts';
import { type Settings, readSettings } from '../settings/read.ts';
import { renewalPolicies, withOwnLifetime } from '../settings/policy.ts';
import { existingDirectory } from './read-directory.ts';
import { type Limiter, createLimiter } from '../throttle/limiter.ts';
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
import { dueOf } from '@credmon/core/renewal';
import {
  type CredentialStore,
  inUserDirectory,
  openCredentialDirectory,
  readCredentialFile,
} from '@credmon/core/store';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

type RevokeCommand = Subcommand & { kind: 'revoke' };

/** Standard output and standard error of a command. */
export interface Output {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** The output of a revocation, and the person at the terminal, if there is one. */
export interface RevokeOutput extends Output {
  readonly person?: Pick<Questions, 'line'> | undefined;
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
  { person, ...output }: RevokeOutput,
): Promise<number> {
  const { stdout, stderr, end } = deferErrors(output);
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
  const tokens = await tokensOf({ ...command, user }, store, settings, stderr);
  if (!command.dryRun && !command.yes && person && !(await isConfirmed(user, tokens, person))) {
    stderr('Nothing was revoked.');
    return 1;
  }
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
  if (command.dryRun) {
    const code = await preview(command, tokens, settings, { context, stdout });
    await close();
    end();
    return code;
  }
  const audit = await openAudit(settings.log, stderr);
  const reportResult = (report: RevocationReport): RevocationReport => {
    const sentence = sentenceOf(report, requester());
    if (!report.left) audit.line(sentence);
    audit.record(revokedEntry(report, requester()));
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
      reportResult(
        await revokeOwned(token, settings, context, { audit: audit.line, named, throttle }),
      ),
    ),
  );
  await close();
  audit.close();
  if (command.json) stdout(JSON.stringify({ directory: credDir, tokens: all.map(rowOf) }, null, 2));
  end();
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

async function isConfirmed(
  user: string,
  tokens: readonly TokenSnapshot[],
  person: Pick<Questions, 'line'>,
): Promise<boolean> {
  const names = tokens.map(({ stem }) => stem).join(', ');
  const what = tokens.length === 1 ? 'this token' : `these ${tokens.length} tokens`;
  const answer = await person.line(`Revoke and remove ${what} of ${user}: ${names}? [y/N] `);
  return /^y(es)?$/i.test(answer ?? '');
}

/** Says what would be done. Returns the exit code that the revocation would have. */
async function preview(
  command: RevokeCommand,
  tokens: readonly TokenSnapshot[],
  settings: Settings,
  { context, stdout }: Pick<Output, 'stdout'> & { readonly context: RevocationContext },
): Promise<number> {
  const named = command.service !== undefined;
  const reports: PreviewReport[] = [];
  for (const token of tokens) {
    const { user, stem } = token;
    const owner = ownerOfToken(token, settings);
    reports.push(
      owner.kind === 'nobody'
        ? unowned(token, owner.why, named)
        : {
            user,
            stem,
            provider: kindName(owner.kind),
            result: await previewOne(owner.kind, token, context),
          },
    );
  }
  if (command.json) {
    const rows = reports.map(previewRow);
    stdout(JSON.stringify({ directory: settings.credDir, dry_run: true, tokens: rows }, null, 2));
  } else for (const report of reports) stdout(previewSentence(report));
  return reports.some(wouldNeedPerson) ? 1 : 0;
}

const kindName = (kind: ProviderKind): string => (kind === 'oauth2' ? 'oauth' : kind);

/** A token without a provider is kept. It is a failure only if it was named. */
function unowned(
  { user, stem }: TokenSnapshot,
  reason: string,
  named: boolean,
): RevocationReport & PreviewReport {
  const why = `no provider owns it (${reason}); fix: condor_store_cred delete-oauth`;
  const left = named ? {} : { left: true as const };
  return { user, stem, provider: null, result: { kind: 'kept', why }, ...left };
}

/**
 * Returns the selected tokens. Unless nothing may be changed, leftovers of dead processes
 * are recovered first, so that a rotated refresh token is revoked, too.
 */
async function tokensOf(
  { user, service, dryRun }: Pick<RevokeCommand, 'user' | 'service' | 'dryRun'>,
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
  if (!dryRun) for (const { path, target } of leftovers) store.settle(path, target);
  const { tokens, problems } = dryRun || leftovers.length === 0 ? first : await scan();
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
  readonly audit: (text: string) => unknown;
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
  if (owner.kind === 'nobody') return unowned(token, owner.why, named);
  const provider = kindName(owner.kind);
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
