// `revoke`: ends a user's tokens at their issuers and removes their files, while the
// daemon runs or not.
import {
  CodedError,
  createSend,
  secureEndpoint,
  systemClock,
  systemRandom,
  messageOf,
} from '@credmon/core/base';
import { createKnobReader, knob, type Config } from '@credmon/core/config';
import { cutDomain, isCredName, tokenId, type TokenSnapshot } from '@credmon/core/credential';
import { dueOf } from '@credmon/core/renewal';
import { openCredentialDirectory, type CredentialStore } from '@credmon/core/store';
import type { Subcommand } from '../command-line/command.ts';
import { createLimiter, type Limiter } from '../throttle/issuer-queues.ts';
import { runningDaemon } from '../daemon/process.ts';
import { ownerOfToken } from '../daemon/provider-lookup.ts';
import type { ProviderKind } from '../settings/lists.ts';
import { STANDING } from '../providers/standing/standing.ts';
import {
  createPelicanSend,
  createProcessTrust,
  createVaultSend,
  namedTrustOf,
} from '../host/tls-ca.ts';
import { revokeOne, type RevocationContext } from '../revocation/revoke-token.ts';
import { createRevoker } from '../revocation/revoker.ts';
import { needsPerson, rowOf, sentenceOf, type Told } from '../revocation/tell.ts';
import { inTurn, issuerToAsk } from '../revocation/turns.ts';
import { readSecretFile, secretVersion } from '../host/secret-file.ts';
import { readSettings, type Settings } from '../settings/read.ts';
import { recoveries } from '../daemon/cleanup.ts';
import { openConfig } from '../command-line/open-config.ts';
import { asker, openAudit, revocationFiles } from './revoke-context.ts';
import { existingDirectory } from '../status/tokens.ts';

type RevokeCommand = Subcommand & { kind: 'revoke' };

/** Where a command speaks: standard output and standard error. */
export interface Speech {
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
}

/**
 * Revokes and removes. Exit code 0 when everything that somebody can still do has been
 * done; 1 when a token stays, or lives on at an issuer.
 * @throws CodedError when nothing was tried: wrong names, no such token, a configuration
 * with mistakes
 */
export async function runRevokeCommand(
  command: RevokeCommand,
  env: NodeJS.ProcessEnv,
  { print, complain }: Speech,
): Promise<number> {
  const user = userOf(command);
  const config = openConfig(command, env);
  const settings = readSettings(config, {
    ...command,
    logFile: undefined,
    debug: false,
    verbose: false,
  });
  const revocationUrl = revocationUrls(config, settings);
  const directory = existingDirectory(settings);
  const { credDir, policy, limits } = settings;
  const store = openCredentialDirectory(directory, { defaultLifetime: policy.defaultLifetime });
  const tokens = await tokensOf(user, command.service, store, settings, complain);
  const trust = createProcessTrust(() => namedTrustOf(settings), complain);
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
      revocationUrl,
    }),
  };
  const audit = await openAudit(settings.log, complain);
  const tell = (told: Told): Told => {
    const sentence = sentenceOf(told, asker());
    if (!told.left) audit(sentence);
    if (!command.json) print(sentence);
    return told;
  };
  const named = command.service !== undefined;
  const turns = createLimiter({
    cap: () => settings.perIssuer,
    steady: () => systemClock.steady(),
  });
  const all = await Promise.all(
    tokens.map(async (token) =>
      tell(await revokeOwned(token, settings, context, { audit, named, revocationUrl, turns })),
    ),
  );
  await close();
  if (command.json) print(JSON.stringify({ directory: credDir, tokens: all.map(rowOf) }, null, 2));
  return all.some(needsPerson) ? 1 : 0;
}

function userOf({ user }: RevokeCommand): string {
  if (user === STANDING)
    throw new CodedError(
      'USAGE',
      'a standing token belongs to no user and would be written again; take its name out of CREDMON_STANDING_TOKENS, then remove its file',
    );
  const name = cutDomain(user);
  if (isCredName(name)) return name;
  throw new CodedError(
    'USAGE',
    `${JSON.stringify(user)} is not the name of a user in a credential directory`,
  );
}

/**
 * CREDMON_<service>_REVOCATION_URL for every service that anything is configured for.
 * @throws CodedError `CONFIG_INVALID`
 */
function revocationUrls(
  config: Config,
  { allowLoopbackHttp }: Settings,
): (service: string) => string | undefined {
  const read = createKnobReader(config);
  const urls = new Map<string, string>();
  for (const name of config.names()) {
    const service = /^CREDMON_(.+)_REVOCATION_URL$/i.exec(name)?.[1];
    const url =
      service === undefined
        ? undefined
        : read.string(knob('CREDMON_<PROVIDER>_REVOCATION_URL', service));
    if (service === undefined || url === undefined) continue;
    try {
      secureEndpoint(url, name, allowLoopbackHttp);
    } catch (error) {
      read.mistake(name, `is unusable: ${messageOf(error)}`);
    }
    urls.set(service.toUpperCase(), url);
  }
  read.finish();
  return (service) => urls.get(service.toUpperCase());
}

/**
 * The tokens that are meant. What a dead process left half done is settled first, so that
 * a rotated refresh token is revoked too.
 */
async function tokensOf(
  user: string,
  service: string | undefined,
  store: CredentialStore,
  { credDir }: Settings,
  complain: (text: string) => void,
): Promise<readonly TokenSnapshot[]> {
  const look = (): ReturnType<CredentialStore['scan']> =>
    store.scan({ wall: systemClock.now(), steady: systemClock.steady() });
  const first = await look();
  const leftovers = (await recoveries({ ...first, keyFiles: [] }, systemClock.now())).filter(
    ({ path }) => path.startsWith(`${user}/`),
  );
  for (const { path, target } of leftovers) store.settle(path, target);
  const { tokens, problems } = leftovers.length === 0 ? first : await look();
  for (const problem of problems) complain(problem);
  const its = tokens.filter((token) => token.user === user);
  const meant = service === undefined ? its : its.filter(({ stem }) => stem === service);
  if (meant.length > 0) return meant;
  const others = its.map(({ stem }) => stem).join(', ');
  throw new CodedError(
    'CRED_FILE_IO',
    service === undefined || others === ''
      ? `there is no token of ${user} in ${credDir}`
      : `there is no token ${user}/${service} in ${credDir}; ${user} has ${others}`,
    { user },
  );
}

/**
 * True when a daemon may be asking the token's issuer for another one now, which nobody
 * would know of.
 */
function mayBeRenewed(
  kind: ProviderKind,
  token: TokenSnapshot,
  { credDir, policy }: Settings,
): true | undefined {
  const now = systemClock.now();
  const bringsNoOther = kind === 'local' || kind === 'vault';
  return !bringsNoOther &&
    dueOf(token, policy, now).at <= now &&
    runningDaemon(credDir) !== undefined
    ? true
    : undefined;
}

/** What revoking the tokens of one command shares. */
interface Course {
  readonly audit: (text: string) => void;
  readonly named: boolean;
  readonly revocationUrl: (service: string) => string | undefined;
  readonly turns: Limiter;
}

async function revokeOwned(
  token: TokenSnapshot,
  settings: Settings,
  context: RevocationContext,
  { audit, named, revocationUrl, turns }: Course,
): Promise<Told> {
  const { user, stem } = token;
  const owner = ownerOfToken(token, settings);
  if (owner.kind === 'nobody') {
    const why = `nobody here owns it (${owner.why}); condor_store_cred delete-oauth removes it`;
    return {
      user,
      stem,
      provider: null,
      result: { kind: 'kept', why },
      ...(named ? {} : { left: true as const }),
    };
  }
  const provider = owner.kind === 'oauth2' ? 'oauth' : owner.kind;
  const issuer = issuerToAsk(owner.kind, token, settings, revocationUrl);
  return inTurn(turns, issuer, token, async () => {
    // Should this process die half way, the log still says who began what.
    audit(`revoking ${tokenId(token)} (${provider}) as ${asker()} asked`);
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
