// Completes a client's registration: what neither a knob nor the key file names is taken
// from the provider profile, then from the issuer's metadata.
import { CodedError, ERROR_CODES, isCoded, type Send } from '../base/index.ts';
import type { IssuerPolicy } from '../profiles/policy.ts';
import type { ClientRegistration } from './client.ts';
import type { IssuerMetadata, MetadataCache } from './metadata.ts';

/**
 * What is configured of a client. An empty or missing URL is filled in. `needs` are
 * endpoints that must be known, besides the token endpoint. With `login`, the metadata is
 * read wherever there is an issuer.
 */
export interface RegistrationDraft {
  readonly provider: string;
  readonly policy: IssuerPolicy;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly assertion?: ((audience: string) => string) | undefined;
  readonly tokenUrl?: string | undefined;
  readonly authorizationUrl?: string | undefined;
  readonly allowLoopbackHttp: boolean;
  readonly needs?: readonly ('authorizationUrl' | 'deviceUrl')[];
  readonly login?: boolean;
  /** True: without a configured method of authentication, no metadata is read for it. */
  readonly guessesMethod?: boolean;
}

/**
 * A complete registration. `metadata` is missing if there is no issuer, or if it was not
 * needed; `problem` says why it could not be read.
 */
export interface CompleteRegistration {
  readonly registration: ClientRegistration;
  readonly metadata: IssuerMetadata | undefined;
  readonly problem: CodedError | undefined;
}

/** The ports: the cache of metadata, and `now` in epoch seconds. */
export interface RegistrationContext {
  readonly metadata: MetadataCache;
  readonly send: Send;
  readonly now: number;
}

/**
 * Completes a registration. A metadata document that is not needed may be unavailable; it
 * is needed if it decides how the client of a renewal authenticates.
 * @throws CodedError `CONFIG_INVALID` if an endpoint is not configured and there is no
 * issuer to ask for it, `ISSUER_METADATA_INVALID` or `ENDPOINT_REFUSED` if the issuer does
 * not name it, or on another server, and the errors of {@link MetadataCache.find}
 * @see OpenID Connect Discovery 1.0, section 4; RFC 8414, section 3
 */
export async function completeRegistration(
  draft: RegistrationDraft,
  context: RegistrationContext,
): Promise<CompleteRegistration> {
  const { policy, provider, clientId, clientSecret, assertion, allowLoopbackHttp } = draft;
  const { issuer, endpoints } = policy;
  const named = {
    tokenUrl: filled(draft.tokenUrl) ?? endpoints.tokenUrl,
    authorizationUrl: filled(draft.authorizationUrl) ?? endpoints.authorizationUrl,
    deviceUrl: endpoints.deviceUrl,
  };
  const wanted = ['tokenUrl', ...(draft.needs ?? [])] as const;
  const missing = wanted.filter((name) => named[name] === undefined);
  const asksMethod =
    draft.guessesMethod !== true &&
    policy.authentication === undefined &&
    clientSecret !== undefined &&
    clientSecret !== '';
  const reads = missing.length > 0 || draft.login === true || asksMethod || policy.tenantIssuers;
  const found = reads && issuer !== undefined ? await findMetadata(draft, issuer, context) : {};
  const { metadata, problem } = found;
  // A renewal by a guessed method would be refused for good; a user can sign in again.
  const guesses = asksMethod && draft.login !== true;
  if (guesses && problem && ERROR_CODES[problem.code].issuer === 'unavailable') throw problem;
  const tokenUrl = named.tokenUrl ?? metadata?.tokenUrl;
  for (const name of wanted)
    if ((named[name] ?? metadata?.[name]) === undefined)
      throw problem ?? notConfigured(draft, name, metadata);
  return {
    registration: {
      provider,
      issuer,
      clientId,
      ...(clientSecret === undefined ? {} : { clientSecret }),
      assertion,
      tokenUrl: tokenUrl ?? '',
      ...optional('authorizationUrl', named.authorizationUrl ?? metadata?.authorizationUrl),
      deviceUrl: named.deviceUrl ?? metadata?.deviceUrl,
      ...authenticationBy(policy, metadata),
      allowLoopbackHttp,
      policy,
    },
    metadata,
    problem,
  };
}

/** CredD writes an empty text for a URL that is not configured. */
function filled(url: string | undefined): string | undefined {
  return url === '' ? undefined : url;
}

function optional<Name extends string>(
  name: Name,
  value: string | undefined,
): Partial<Record<Name, string>> {
  return (value === undefined ? {} : { [name]: value }) as Partial<Record<Name, string>>;
}

async function findMetadata(
  { policy, provider }: RegistrationDraft,
  issuer: string,
  { metadata, send, now }: RegistrationContext,
): Promise<{ readonly metadata?: IssuerMetadata; readonly problem?: CodedError }> {
  try {
    return { metadata: await metadata.find(send, issuer, now, policy) };
  } catch (error) {
    if (!isCoded(error)) throw error;
    return { problem: withKnob(error, policy, provider) };
  }
}

/** The metadata does not know the knob that names its issuer. */
function withKnob(error: CodedError, { profile }: IssuerPolicy, provider: string): CodedError {
  if (error.code !== 'ISSUER_MISMATCH' && error.code !== 'ISSUER_METADATA_INVALID') return error;
  const fix = `fix: check CREDMON_${provider}_ISSUER (profile ${profile})`;
  return new CodedError(error.code, `${error.message}; ${fix}`, error.fields);
}

const KNOBS = {
  tokenUrl: 'TOKEN_URL',
  authorizationUrl: 'AUTHORIZATION_URL',
  deviceUrl: 'DEVICE_URL',
} as const;

/** The names of the endpoints in the metadata. */
const ENDPOINTS = {
  tokenUrl: 'token_endpoint',
  authorizationUrl: 'authorization_endpoint',
  deviceUrl: 'device_authorization_endpoint',
} as const;

function notConfigured(
  { provider, policy }: RegistrationDraft,
  name: keyof typeof KNOBS,
  metadata: IssuerMetadata | undefined,
): CodedError {
  const prefix = name === 'deviceUrl' ? 'CREDMON_' : '';
  const knob = `${prefix}${provider}_${KNOBS[name]}`;
  if (metadata === undefined)
    return new CodedError(
      'CONFIG_INVALID',
      `${knob} is not set, and neither CREDMON_${provider}_ISSUER nor the profile ` +
        `${policy.profile} names it; fix: set one of them. If they were set after the start: ` +
        'condor_reconfig and systemctl reload condor_credmon_webserver',
      { provider },
    );
  const { issuer, elsewhere } = metadata;
  const isElsewhere = elsewhere.some((text) => text.includes(ENDPOINTS[name]));
  return isElsewhere
    ? new CodedError('ENDPOINT_REFUSED', elsewhere.join('; '), { issuer })
    : new CodedError(
        'ISSUER_METADATA_INVALID',
        `${knob} is not set, and the metadata of the issuer ${issuer} has no ${ENDPOINTS[name]}`,
        { issuer },
      );
}

/** How a client without a configured method authenticates at an issuer. */
function authenticationBy(
  { authentication }: IssuerPolicy,
  metadata: IssuerMetadata | undefined,
): Pick<ClientRegistration, 'authentication' | 'otherAuthentication'> {
  if (authentication !== undefined) return { authentication };
  const methods = metadata?.authenticationMethods ?? [];
  const [post, basic] = ['client_secret_post', 'client_secret_basic'].map((method) =>
    methods.includes(method),
  );
  if (post === true && basic === true)
    return { authentication: 'post', otherAuthentication: 'basic' };
  return { authentication: basic === true ? 'basic' : 'post' };
}

/**
 * True if a login at this issuer sends a code challenge: not if the policy or the
 * metadata says that the issuer does not know S256.
 * @see RFC 7636, section 4.2; RFC 8414, section 2
 */
export function sendsChallenge(
  { pkce }: IssuerPolicy,
  metadata: IssuerMetadata | undefined,
): boolean {
  return pkce && (metadata?.challengeMethods ?? ['S256']).includes('S256');
}
