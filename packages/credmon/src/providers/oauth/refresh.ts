// The OAuth provider: renews an access token with the refresh token from `.top`.
import { CodedError, originOf } from '@credmon/core/base';
import {
  parseTop,
  rotatedTopText,
  scopeText,
  splitStem,
  tokenId,
  useFile,
  type Parsed,
  type TokenSnapshot,
  type TopContents,
} from '@credmon/core/credential';
import { refreshGrant, type ClientRegistration } from '@credmon/core/oauth';
import type { TokenFiles } from '@credmon/core/store';
import { checkScopes } from '../common/granted-scopes.ts';
import { secretOf, type Outcome, type Provider, type ProviderContext } from '../common/provider.ts';
import type { ConfiguredClient } from '../../settings/clients.ts';
import { basisOf, issuedWith, rejectionAfter } from '../common/outcomes.ts';

/**
 * The provider's options. `clientOf` takes a service name, case-insensitive.
 * `secretVersion` changes with a secret file.
 */
export interface OAuthOptions {
  readonly clientOf: (service: string) => ConfiguredClient | undefined;
  readonly secretVersion: (path: string) => string;
  /**
   * Scopes that the issuer of a service (case-insensitive) may grant without a request.
   */
  readonly extraScopes: (service: string) => readonly string[];
  /** True when jobs may read the ID tokens of a service (case-insensitive). */
  readonly useIdToken: (service: string) => boolean;
  readonly specialNames: boolean;
  readonly allowLoopbackHttp: boolean;
  readonly defaultLifetime: number;
}

/**
 * The OAuth refresh provider. It uses either the whole client of the configuration, or
 * else the whole `.meta`, never parts of both.
 */
export function oauthRefresh(options: OAuthOptions): Provider {
  const clientOf = (token: TokenSnapshot): ConfiguredClient | undefined => {
    const name = splitStem(token.stem, options.specialNames);
    return name && options.clientOf(name.service);
  };
  return {
    name: 'oauth',
    renewable: (token) => renewable(token, clientOf(token)),
    basis: (token) => basisOf(token, dependencies(token, clientOf(token), options)),
    issuerOf: (token) =>
      originOf(
        clientOf(token)?.tokenUrl ?? (token.meta.kind === 'valid' ? token.meta.value.tokenUrl : ''),
      ),
    obtain: (token, files, context) => obtain(token, files, clientOf(token), options, context),
  };
}

const notRenewable = (reason: string): Parsed<true> => ({ ok: false, reason });

function renewable(
  { top, meta }: TokenSnapshot,
  client: ConfiguredClient | undefined,
): Parsed<true> {
  if (top.kind === 'missing') return notRenewable('.top is missing: the user must log in again');
  if (top.kind === 'broken') return notRenewable(`.top ${top.reason}: the user must log in again`);
  if (top.value.refreshToken === 'empty')
    return notRenewable(
      'the issuer gave no refresh token: the user must log in again when it expires',
    );
  if (top.value.refreshToken === 'absent')
    return notRenewable('.top has no refresh token: the user must log in again');
  if (meta.kind === 'valid' && !meta.value.useRefreshToken)
    return notRenewable('.meta says not to use a refresh token');
  if (client || meta.kind === 'valid') return { ok: true, value: true };
  return notRenewable(
    `.meta ${meta.kind === 'missing' ? 'is missing' : meta.reason}, and the service ` +
      'has no _CLIENT_ID and _TOKEN_URL in the configuration',
  );
}

/**
 * The fingerprint input: the client with its secret, or `.meta`, and the extra scopes.
 */
function dependencies(
  { stem, meta }: TokenSnapshot,
  client: ConfiguredClient | undefined,
  options: OAuthOptions,
): unknown {
  const extra = options.extraScopes(splitStem(stem, options.specialNames)?.service ?? stem);
  if (client) {
    const { clientId, tokenUrl, issuer, authentication, secretFile } = client;
    const secret = secretFile && options.secretVersion(secretFile);
    return [clientId, tokenUrl, issuer, authentication, secret, extra];
  }
  if (meta.kind !== 'valid') return [extra];
  return [meta.value.clientId, meta.value.tokenUrl, meta.identity.ino, meta.identity.mtime, extra];
}

async function obtain(
  token: TokenSnapshot,
  files: TokenFiles,
  client: ConfiguredClient | undefined,
  options: OAuthOptions,
  context: ProviderContext,
): Promise<Outcome> {
  let rotated: string | undefined;
  try {
    const { top, asked } = topOf(token, files);
    const rotate = (next: string): void => {
      if (next !== top.refresh_token) rotated = rotatedTopText(top, next);
    };
    const registration = registrationOf(token, files, client, options, context);
    const answer = await refreshGrant(context.send, registration, {
      refreshToken: top.refresh_token,
      now: context.now,
      salvage: rotate,
    });
    if (answer.refreshToken !== undefined) rotate(answer.refreshToken);
    const name = registration.provider;
    const extra = options.extraScopes(name);
    const noted = checkScopes({ name, extra, asked, granted: answer.scope });
    const { now } = context;
    const { defaultLifetime } = options;
    const use = useFile(answer, {
      provider: name,
      now,
      defaultLifetime,
      idToken: options.useIdToken(name),
    });
    return { ...issuedWith(use, rotated), ...noted };
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

function registrationOf(
  token: TokenSnapshot,
  files: TokenFiles,
  client: ConfiguredClient | undefined,
  options: OAuthOptions,
  context: ProviderContext,
): ClientRegistration {
  const provider = splitStem(token.stem, options.specialNames)?.service ?? token.stem;
  const common = { provider, allowLoopbackHttp: options.allowLoopbackHttp };
  if (client) {
    const { clientId, tokenUrl, issuer, authentication } = client;
    const clientSecret =
      client.secretFile === undefined ? '' : secretOf(client.secretFile, 'line', context);
    return {
      ...common,
      clientId,
      tokenUrl,
      authentication,
      clientSecret,
      ...(issuer === undefined ? {} : { issuer }),
    };
  }
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
  return { ...common, clientId, clientSecret, tokenUrl, authentication: 'post' };
}
