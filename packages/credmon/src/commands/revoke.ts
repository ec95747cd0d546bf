// `revoke`: revokes a user's tokens at their issuers and removes their files, with or
// without a running daemon.
import { CodedError, createSend, systemClock, systemRandom } from '@credmon/core/base';
import { cutDomain, isCredName, tokenId, type TokenSnapshot } from '@credmon/core/credential';
import { dueOf } from '@credmon/core/renewal';
import { openCredentialDirectory, type CredentialStore } from '@credmon/core/store';
import type { Subcommand } from '../command-line/command.ts';
import { createLimiter, type Limiter } from '../throttle/issuer-queues.ts';
import { runningDaemon } from '../daemon/pid-and-complete.ts';
import { ownerOfToken } from '../daemon/provider-lookup.ts';
import type { ProviderKind } from '../settings/lists.ts';
import { STANDING } from '../providers/standing/names.ts';
import {
  createPelicanSend,
  createProcessTrust,
  createVaultSend,
  namedTrustOf,
} from '../host/tls-ca.ts';
import { revokeOne, type RevocationContext } from '../revocation/revoke-token.ts';
import { createRevoker } from '../revocation/revoker.ts';
import { needsPerson, rowOf, sentenceOf, type RevocationReport } from '../revocation/report.ts';
import { throttled, issuerToAsk } from '../revocation/throttle.ts';
import { readSecretFile, secretVersion } from '../host/secret-file.ts';
import { readSettings, type Settings } from '../settings/read.ts';
import { recoveries } from '../daemon/cleanup.ts';
import { openConfig } from '../command-line/open-config.ts';
import { requester, openAudit, revocationFiles } from './revoke-context.ts';
import { existingDirectory } from '../status/tokens.ts';
import { renewalPolicies, withOwnLifetime } from '../settings/token-policy.ts';

type RevokeCommand = Subcommand & { kind: 'revoke' };

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
