// The OAuth provider: renews an access token with the refresh token from `.top`. And the
// registration for a request of a configured login client: the current secret or key, and
// endpoints from the profile or the issuer's metadata.
import { type ConfiguredClient, serverOf } from '../../settings/clients.ts';
import { checkScopes } from '../common/granted-scopes.ts';
import { bareState, basisOf, issuedWith, rejectionAfter } from '../common/outcomes.ts';
import { type Outcome, type Provider, type ProviderContext, secretOf } from '../common/provider.ts';
import { CodedError, type Random, originOf } from '@credmon/core/base';
import {
  type Parsed,
  type TokenAnswer,
  type TokenSnapshot,
  type TopContents,
  isPresent,
  parseTop,
  rotatedTopText,
  scopeText,
  splitStem,
  tokenId,
  useFile,
} from '@credmon/core/credential';
import {
  type CompleteRegistration,
  type IssuerNames,
  type MetadataCache,
  type RegistrationDraft,
  clientAssertion,
  completeRegistration,
  createMetadataCache,
  identityChange,
  namesOf,
  refreshGrant,
} from '@credmon/core/oauth';
import { type IssuerPolicy, defaultLifetimeOf, policyAt } from '@credmon/core/profiles';
import type { TokenFiles } from '@credmon/core/store';
import { createHash } from 'node:crypto';

/** What a draft needs besides the client. */
export interface DraftPorts {
  readonly random: Random;
  readonly allowLoopbackHttp: boolean;
}

/** What a registration needs besides the client. */
export interface RegistrationPorts extends DraftPorts {
  readonly metadata: MetadataCache;
}

/**
 * Returns the registration of the client of a service. The secret is read each time. With
 * `guessesMethod` no metadata is read only for the method of authentication.
 * @throws CodedError `SECRET_UNREADABLE`, and as `completeRegistration`
 */
export function registrationOfLogin(
  service: string,
  client: ConfiguredClient,
  ports: RegistrationPorts,
  context: ProviderContext,
  guessesMethod = false,
): Promise<CompleteRegistration> {
  const { metadata } = ports;
  const { send, now } = context;
  const draft = draftOfLogin(service, client, ports, context);
  return completeRegistration({ ...draft, guessesMethod }, { metadata, send, now });
}

/**
 * Returns what is configured of the client of a service, with its current secret or key.
 * @throws CodedError `SECRET_UNREADABLE`
 */
export function draftOfLogin(
  service: string,
  { clientId, tokenUrl, secretFile, policy }: ConfiguredClient,
  { random, allowLoopbackHttp }: DraftPorts,
  context: Pick<ProviderContext, 'now' | 'readSecret'>,
): RegistrationDraft {
  const { clientKey, authentication } = policy;
  const key =
    authentication === 'private_key_jwt' && clientKey
      ? { clientId, keyId: clientKey.keyId, pem: secretOf(clientKey.path, 'whole', context) }
      : undefined;
  const hasSecret = key === undefined && authentication !== 'none' && secretFile !== undefined;
  return {
    provider: service,
    policy,
    clientId,
    tokenUrl,
    allowLoopbackHttp,
    clientSecret: hasSecret ? secretOf(secretFile, 'line', context) : '',
    assertion: key && ((audience) => clientAssertion(key, audience, context.now, random)),
  };
}

/**
 * The provider's options. `clientOf` takes a service name, case-insensitive.
 * `secretVersion` changes with a secret file.
 */
export interface OAuthOptions {
  readonly clientOf: (service: string) => ConfiguredClient | undefined;
  readonly secretVersion: (path: string) => string;
  /** What depends on the issuer of a service (case-insensitive). */
  readonly policyOf: (service: string) => IssuerPolicy;
  /** Additional origins that the issuers' metadata may name. */
  readonly endpointOrigins: readonly string[];
  readonly random: Random;
  readonly specialNames: boolean;
  readonly allowLoopbackHttp: boolean;
  readonly defaultLifetime: number;
}

type Ports = OAuthOptions & RegistrationPorts;

/** Seconds for which an issuer's metadata is used without asking again. */
const METADATA_LIFETIME = 3600;

/** The most names of tokens whose client is remembered. */
const MOST_NAMES = 10_000;

/**
 * The OAuth refresh provider. It uses either the whole client of the configuration, or
 * else the whole `.meta`, never parts of both.
 */
export function oauthRefresh(options: OAuthOptions): Provider {
  const { allowLoopbackHttp, endpointOrigins: origins } = options;
  const metadata = createMetadataCache({
    lifetime: METADATA_LIFETIME,
    allowLoopbackHttp,
    origins,
  });
  const ports = { ...options, metadata };
  // Many tokens have the same name. Any user may invent names of no client.
  const known = new Map<string, ConfiguredClient>();
  const clientOf = ({ stem }: TokenSnapshot): ConfiguredClient | undefined => {
    const before = known.get(stem);
    if (before) return before;
    const name = splitStem(stem, options.specialNames);
    const client = name && options.clientOf(name.service);
    if (client && known.size < MOST_NAMES) known.set(stem, client);
    return client;
  };
  return {
    name: 'oauth',
    renewable: (token) => renewable(token, clientOf(token)),
    basis: (token) => basisOf(token, dependencies(token, clientOf(token), options)),
    issuerOf: (token) => {
      const client = clientOf(token);
      if (client) return originOf(serverOf(client));
      return originOf(token.meta.kind === 'valid' ? token.meta.value.tokenUrl : '');
    },
    obtain: (token, files, context) => obtain(token, files, clientOf(token), ports, context),
  };
}

const notRenewable = (reason: string): Parsed<true> => ({ ok: false, reason });

/** A file that was not read yet counts as good until a renewal needs it. */
function renewable(
  { top, meta }: TokenSnapshot,
  client: ConfiguredClient | undefined,
): Parsed<true> {
  if (top.kind === 'missing') return notRenewable('.top is missing: the user must log in again');
  if (top.kind === 'broken') return notRenewable(`.top ${top.reason}: the user must log in again`);
  const refreshToken = top.kind === 'unread' ? 'present' : top.value.refreshToken;
  if (refreshToken === 'empty')
    return notRenewable(
      'the issuer gave no refresh token: the user must log in again when it expires',
    );
  if (refreshToken === 'absent')
    return notRenewable('.top has no refresh token: the user must log in again');
  if (meta.kind === 'valid' && !meta.value.useRefreshToken)
    return notRenewable('.meta says not to use a refresh token');
  if (client || isPresent(meta)) return { ok: true, value: true };
  return notRenewable(
    `.meta ${meta.kind === 'missing' ? 'is missing' : meta.reason}, and the service ` +
      'has no _CLIENT_ID with a _TOKEN_URL or issuer in the configuration',
  );
}

/**
 * The fingerprint input: the client with its secret, or `.meta`, and the policy of the
 * issuer.
 */
function dependencies(
  { stem, meta }: TokenSnapshot,
  client: ConfiguredClient | undefined,
  options: OAuthOptions,
): unknown {
  const policy = options.policyOf(splitStem(stem, options.specialNames)?.service ?? stem);
  const rules = digestOf(policy);
  if (client) {
    const { clientId, tokenUrl, secretFile } = client;
    const secret = secretFile && options.secretVersion(secretFile);
    const key = policy.clientKey && options.secretVersion(policy.clientKey.path);
    return [clientId, tokenUrl, secret, key, rules];
  }
  if (meta.kind !== 'valid') return [rules];
  return [meta.value.clientId, meta.value.tokenUrl, meta.identity.ino, meta.identity.mtime, rules];
}

/** One policy belongs to many tokens: its digest is made once. */
const digests = new WeakMap<IssuerPolicy, string>();

function digestOf(policy: IssuerPolicy): string {
  const known = digests.get(policy);
  if (known !== undefined) return known;
  const digest = createHash('sha256').update(JSON.stringify(policy)).digest('base64url');
  digests.set(policy, digest);
  return digest;
}

async function obtain(
  token: TokenSnapshot,
  files: TokenFiles,
  client: ConfiguredClient | undefined,
  options: Ports,
  context: ProviderContext,
): Promise<Outcome> {
  let rotated: string | undefined;
  try {
    const { top, asked } = topOf(token, files);
    const rotate = (next: string): void => {
      if (next !== top.refresh_token) rotated = rotatedTopText(top, next);
    };
    const { registration, metadata } = await registrationOf(token, files, client, options, context);
    const answer = await refreshGrant(context.send, registration, {
      refreshToken: top.refresh_token,
      scope: asked,
      audience: scopeText(top.audience ?? '') ?? '',
      now: context.now,
      salvage: rotate,
    });
    if (answer.refreshToken !== undefined) rotate(answer.refreshToken);
    const name = registration.provider;
    const policy = options.policyOf(name);
    // Without the metadata, the names of a tenant are not known.
    const isKnown = !policy.tenantIssuers || metadata?.template !== undefined;
    const names = isKnown ? namesOf(registration, metadata?.template) : undefined;
    checkIdentity(name, answer, files, names);
    const noted = checkScopes({
      name,
      scopes: policy.scopes,
      asked,
      granted: answer.scope,
      // Globus: a refresh token is for one resource server, and the login was for several.
      isOneOfSeveral: typeof answer.answer['resource_server'] === 'string',
    });
    const { now } = context;
    const use = useFile(answer, {
      provider: name,
      now,
      defaultLifetime: defaultLifetimeOf(policy, options.defaultLifetime),
      idToken: policy.useIdToken,
      json: policy.useJson,
    });
    return { ...issuedWith(use, rotated, bareState(policy.useJson, answer, use)), ...noted };
  } catch (error) {
    return rejectionAfter(token, error, rotated);
  }
}

/**
 * Returns the contents of `.top`, and the requested scopes. Everything is checked before a
 * request spends the refresh token.
 */
function topOf(
  token: TokenSnapshot,
  files: TokenFiles,
): { readonly top: TopContents; readonly asked: string } {
  const top = files.top.ok ? parseTop(files.top.value) : files.top;
  const refused = (reason: string): CodedError => {
    const id = tokenId(token);
    return new CodedError('CRED_FILE_INVALID', `${id}: .top ${reason}`, { token: id });
  };
  if (!top.ok) throw refused(top.reason);
  const asked = scopeText(top.value.scopes ?? '');
  if (asked !== undefined) return { top: top.value, asked };
  throw refused('has "scopes" that are neither text nor a list of texts');
}

/**
 * The user was identified at the login. The ID token of a refresh is not verified, but
 * another issuer or user in it stops the renewals; the rotated refresh token is kept.
 * @throws CodedError `ISSUER_MISMATCH`
 */
function checkIdentity(
  provider: string,
  { answer }: TokenAnswer,
  { meta }: TokenFiles,
  names: IssuerNames | undefined,
): void {
  const subject = meta.ok ? meta.value.subject : undefined;
  const change = identityChange(answer['id_token'], names, subject);
  if (change !== undefined)
    throw new CodedError('ISSUER_MISMATCH', `issuer mismatch for ${provider}: ${change}`, {
      provider,
    });
}

async function registrationOf(
  token: TokenSnapshot,
  files: TokenFiles,
  client: ConfiguredClient | undefined,
  options: Ports,
  context: ProviderContext,
): Promise<Pick<CompleteRegistration, 'registration' | 'metadata'>> {
  const provider = splitStem(token.stem, options.specialNames)?.service ?? token.stem;
  if (client) return registrationOfLogin(provider, client, options, context);
  if (!files.meta.ok) {
    throw new CodedError('CRED_FILE_INVALID', `${tokenId(token)}: .meta ${files.meta.reason}`, {
      token: tokenId(token),
    });
  }
  const {
    client_id: clientId,
    client_secret: clientSecret,
    token_url: tokenUrl,
  } = files.meta.value;
  const policy = policyAt(options.policyOf(provider), tokenUrl);
  const { allowLoopbackHttp } = options;
  const authentication = policy.authentication ?? 'post';
  return {
    registration: {
      provider,
      issuer: policy.issuer,
      clientId,
      clientSecret,
      tokenUrl,
      authentication,
      policy,
      allowLoopbackHttp,
    },
    metadata: undefined,
  };
}
