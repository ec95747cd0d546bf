// Revokes one token: finds client and endpoint in the configuration and in the metadata
// of configured issuers, never in a token's files; removes the files, also if a secret
// cannot be revoked; then sends the requests.
import { type ClientOptions, registrationOf } from '../providers/client/credentials.ts';
import type { ProviderContext } from '../providers/common/provider.ts';
import { issuerOfRefresh, subjectOf } from '../providers/exchange/exchange.ts';
import { registrationOfLogin } from '../providers/oauth/refresh.ts';
import type { ConfiguredClient, TokenClient } from '../settings/clients.ts';
import type { ProviderKind } from '../settings/lists.ts';
import { type Removed, type RevocationFiles, removeToken } from './files.ts';
import type { Preview, SecretResult, Step, Steps } from './report.ts';
import type { Prepare, RevokingClient } from './revoker.ts';
import { type Clock, type CodedError, isCoded, messageOf } from '@credmon/core/base';
import {
  type Parsed,
  type TokenSnapshot,
  parseObject,
  splitStem,
  tokenFileName,
} from '@credmon/core/credential';
import type { MetadataCache } from '@credmon/core/oauth';
import { type IssuerPolicy, policyAt } from '@credmon/core/profiles';
import type { TokenFiles } from '@credmon/core/store';

/**
 * The result. `kept`: nothing was removed or revoked, with the reason; otherwise `files`
 * are the removed names.
 */
export type Revoked =
  | { readonly kind: 'kept'; readonly why: string }
  | {
      readonly kind: 'removed';
      readonly files: readonly string[];
      readonly results: readonly SecretResult[];
    };

/** The ports of a revocation. */
export interface RevocationContext {
  readonly files: RevocationFiles;
  readonly prepare: Prepare;
  readonly clock: Clock;
}

/**
 * How often a `.top` that changes meanwhile is read again: a renewal rotates it once, a
 * login replaces it once.
 */
const ATTEMPTS = 5;

/**
 * Seconds before the second and third request to an issuer that does not answer: after
 * this command the tokens are gone.
 */
const WAITS: readonly number[] = [1, 3];

/**
 * Revokes a token of this kind of provider. Never throws because of an issuer's answer or
 * a file.
 */
export async function revokeOne(
  kind: ProviderKind,
  token: TokenSnapshot,
  context: RevocationContext,
): Promise<Revoked> {
  let prepared: { readonly removed: Removed; readonly steps: Steps };
  try {
    prepared = await remove(kind, token, context);
  } catch (error) {
    if (!isCoded(error)) throw error;
    return { kind: 'kept', why: error.message };
  }
  const { removed, steps } = prepared;
  const results: SecretResult[] = [];
  for (const step of steps.steps) results.push(await request(step, context.clock));
  const until = token.use.kind === 'valid' ? token.use.value.expiresAt : undefined;
  const left = until === undefined ? undefined : Math.floor(until - context.clock.now());
  return {
    kind: 'removed',
    files: removed.names,
    results: [...results, ...steps.unrevoked, ...leftovers(removed)].map((result) =>
      withLifetime(result, left),
    ),
  };
}

/**
 * Returns what {@link revokeOne} would do. Changes no file and sends no token; it may
 * fetch the metadata of a configured issuer.
 */
export async function previewOne(
  kind: ProviderKind,
  token: TokenSnapshot,
  { files, prepare, clock }: RevocationContext,
): Promise<Preview> {
  try {
    const texts = files.store.read(token.user, token.stem);
    const plan = await prepare(kind, token, texts);
    const use = files.readUse(token);
    const accessToken = use === undefined ? undefined : accessTokenIn(use);
    const { steps, unrevoked } = plan({
      refreshToken: refreshTokenIn(texts.top),
      accessTokens: accessToken === undefined ? [] : [accessToken],
    });
    const until = token.use.kind === 'valid' ? token.use.value.expiresAt : undefined;
    const left = until === undefined ? undefined : Math.floor(until - clock.now());
    return {
      kind: 'planned',
      files: files
        .present(token)
        .map((each) => tokenFileName(token.stem, each))
        .sort(),
      revoked: steps.map(({ what, where }) => ({ what, where })),
      unrevoked: unrevoked.map((one) => withLifetime(one, left)),
    };
  } catch (error) {
    if (!isCoded(error)) throw error;
    return { kind: 'kept', why: error.message };
  }
}

async function remove(
  kind: ProviderKind,
  token: TokenSnapshot,
  { files, prepare, clock }: RevocationContext,
): Promise<{ removed: Removed; steps: Steps }> {
  for (let attempt = 1; ; attempt += 1) {
    const texts: TokenFiles = files.store.read(token.user, token.stem);
    const plan = await prepare(kind, token, texts);
    try {
      const removed = await removeToken(token, texts, files, clock);
      const accessTokens = removed.uses.map(accessTokenIn).filter((text) => text !== undefined);
      const refreshToken = refreshTokenIn(texts.top);
      return { removed, steps: plan({ refreshToken, accessTokens: [...new Set(accessTokens)] }) };
    } catch (error) {
      if (!isCoded(error, 'CRED_SUPERSEDED') || attempt >= ATTEMPTS) throw error;
    }
  }
}

function leftovers({ problem: why }: Removed): SecretResult[] {
  return why === undefined ? [] : [{ what: 'other files', revoked: false, why, fixable: true }];
}

/** Sends a request, with retries if time may fix the failure. */
async function request({ what, where, revoke }: Step, clock: Clock): Promise<SecretResult> {
  for (const wait of [...WAITS, undefined]) {
    try {
      await revoke();
      return { what, revoked: true, where };
    } catch (error) {
      if (wait === undefined || !mayPass(error)) return failureOf(what, error);
      await clock.wait(wait);
    }
  }
  return { what, revoked: false, why: 'not asked', fixable: true };
}

function mayPass(error: unknown): boolean {
  return isCoded(error, 'ISSUER_UNREACHABLE') || isCoded(error, 'ISSUER_BUSY');
}

/** @see RFC 7009, section 2.2.1 */
function failureOf(what: string, error: unknown): SecretResult {
  if (isCoded(error) && isUnsupported(error))
    return {
      what,
      revoked: false,
      why: 'its issuer does not revoke tokens of this kind',
      fixable: false,
    };
  return { what, revoked: false, why: messageOf(error), fixable: true };
}

function isUnsupported({ fields }: CodedError): boolean {
  return fields['error'] === 'unsupported_token_type';
}

/**
 * Adds the remaining lifetime of an access token that was not revoked, unless it has
 * expired.
 */
function withLifetime<Result extends SecretResult>(
  result: Result,
  left: number | undefined,
): Result {
  if (result.revoked || result.what !== 'access token' || left === undefined) return result;
  if (left <= 0) return { ...result, why: `${result.why}; it has expired`, fixable: false };
  const life = Number.isFinite(left) ? `it is valid for ${left} s more` : 'it does not expire';
  return { ...result, why: `${result.why}; ${life}` };
}

// The secrets in a token's files. Users can store any bytes there.

/** What may be sent as a token: visible ASCII of limited length. */
const TOKEN = /^[!-~]{1,65536}$/;

/** Returns the refresh token in `.top`, if any. */
function refreshTokenIn(top: Parsed<string>): string | undefined {
  const object = top.ok ? parseObject(top.value) : top;
  return object.ok ? tokenOf(object.value['refresh_token']) : undefined;
}

/** Returns the access token in `.use`, JSON or bare, if any. */
function accessTokenIn(use: string): string | undefined {
  const object = parseObject(use);
  if (object.ok) return tokenOf(object.value['access_token']);
  return tokenOf(use.trim());
}

function tokenOf(value: unknown): string | undefined {
  return typeof value === 'string' && TOKEN.test(value) ? value : undefined;
}

/** The ports for finding a client. */
export interface ClientFinder {
  readonly options: ClientOptions;
  readonly metadata: MetadataCache;
  readonly context: ProviderContext;
}

/** Returns the name in the knobs of a token. */
export function serviceOf(
  { stem }: TokenSnapshot,
  { specialNames }: Pick<ClientOptions, 'specialNames'>,
): string {
  return splitStem(stem, specialNames)?.service ?? stem;
}

/**
 * Returns the client of a login.
 * @throws CodedError `SECRET_UNREADABLE`, and errors of the metadata look-up
 */
export async function loginClient(
  service: string,
  client: ConfiguredClient | undefined,
  finder: ClientFinder,
): Promise<Parsed<RevokingClient>> {
  if (!client) {
    const server = `${service}_TOKEN_URL (or CREDMON_${service}_ISSUER)`;
    return failure(`${service}_CLIENT_ID and ${server} are not configured`);
  }
  const endpoint = await endpointOf(service, client.policy, client.policy.issuer, finder);
  if (!endpoint.ok) return endpoint;
  const { context, options, metadata } = finder;
  const { registration } = await registrationOfLogin(
    service,
    client,
    { ...options, metadata },
    context,
    client.policy.endpoints.revocationUrl !== undefined,
  );
  return { ok: true, value: { registration, revocationUrl: endpoint.value } };
}

/**
 * Returns a client that works without a browser.
 * @throws CodedError as {@link loginClient}, and `SUBJECT_REFUSED`
 */
export async function serviceClient(
  token: TokenSnapshot,
  files: TokenFiles,
  client: TokenClient | undefined,
  finder: ClientFinder,
): Promise<Parsed<RevokingClient>> {
  if (!client) return failure('its provider is not configured');
  const { issuers } = client;
  // With several configured issuers, use the one that gave the refresh token; it must be
  // configured.
  const issuer =
    issuers.length > 1 ? issuerOfRefresh(token, subjectOf(token, files), client) : issuers[0];
  const policy = policyAt(client.policy, client.tokenUrl ?? issuer);
  const endpoint = await endpointOf(client.name, policy, issuer, finder);
  if (!endpoint.ok) return endpoint;
  const { metadata, options, context } = finder;
  const registration = await registrationOf(client, issuer, metadata, options, context);
  return { ok: true, value: { registration, revocationUrl: endpoint.value } };
}

async function endpointOf(
  service: string,
  policy: IssuerPolicy,
  issuer: string | undefined,
  { metadata, context }: ClientFinder,
): Promise<Parsed<string>> {
  const knob = `CREDMON_${service}_REVOCATION_URL`;
  const configured = policy.endpoints.revocationUrl;
  if (configured !== undefined) return { ok: true, value: configured };
  if (policy.revocationPage !== undefined)
    return failure(
      `the issuer of ${service} has no revocation endpoint; the user ends the access at ` +
        policy.revocationPage,
    );
  if (issuer === undefined)
    return failure(
      `no revocation endpoint: neither the issuer of ${service} nor ${knob} is configured`,
    );
  const { revocationUrl: found, elsewhere } = await metadata.find(
    context.send,
    issuer,
    context.now,
    policy,
  );
  if (found !== undefined) return { ok: true, value: found };
  const rejected = elsewhere.find((why) => why.includes('revocation_endpoint'));
  if (rejected !== undefined) return failure(rejected);
  return failure(`the issuer ${issuer} has no revocation endpoint, and ${knob} is not set`);
}

function failure(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}
