// Exchanges a token that the user stored in `.top`: verified first, exchanged once, then
// renewed with the refresh token of the exchange. Users can write anything into `.top`, so
// it never decides where a secret is sent.
import { type TokenClient, scopesFor } from '../../settings/clients.ts';
import {
  type ClientOptions,
  clientUse,
  lookUpClients,
  metadataOf,
  registrationOf,
} from '../client/credentials.ts';
import { audienceNote, checkScopes, joinNotes } from '../common/granted-scopes.ts';
import { bareState, issuedWith, rejectionAfter, rejectionOf } from '../common/outcomes.ts';
import type { Outcome, Provider, ProviderContext } from '../common/provider.ts';
import {
  CodedError,
  ERROR_CODES,
  type Send,
  isCoded,
  jwtClaims,
  originOf,
  secureEndpoint,
} from '@credmon/core/base';
import {
  isPresent,
  type Parsed,
  type TokenAnswer,
  type TokenSnapshot,
  parseObject,
  splitScopes,
  tokenId,
} from '@credmon/core/credential';
import { type MetadataCache, refreshGrant, tokenExchangeGrant } from '@credmon/core/oauth';
import type { TokenFiles } from '@credmon/core/store';
import { type KeyFinder, createIssuerKeys, verify } from '@credmon/scitokens';

/** What is remembered between renewals. */
interface Memory {
  readonly metadata: MetadataCache;
  readonly keys: (send: Send) => KeyFinder;
  /**
   * The issuer of each token, once known: with several issuers, a failing one must not
   * delay tokens of the others.
   */
  readonly issuers: Map<string, string>;
}

/**
 * The token exchange provider. The issuer must be configured and match the token's `iss`
 * exactly; no secret is sent before the token's signature is verified with that issuer's
 * keys.
 * @see RFC 8693
 */
export function tokenExchange(options: ClientOptions): Provider {
  const memory = {
    metadata: metadataOf(options),
    keys: keysBySend(options),
    issuers: new Map<string, string>(),
  };
  const { clientOf, basis, issuerOf } = lookUpClients(options);
  return {
    name: 'exchange',
    renewable: (token) => renewable(token, clientOf(token)),
    basis,
    issuerOf: (token) => {
      const severalIssuers = (clientOf(token)?.issuers.length ?? 0) > 1;
      if (!severalIssuers) return issuerOf(token);
      return memory.issuers.get(tokenId(token)) ?? `exchange ${clientOf(token)?.name ?? ''}`;
    },
    obtain: async (token, files, context) => {
      try {
        const client = clientOf(token);
        if (!client) return rejectionOf(token, new TypeError('no client'));
        const subject = subjectOf(token, files);
        const { subjectToken, refreshToken } = subject;
        return subjectToken === undefined
          ? await renew(
              token,
              { ...subject, refreshToken: refreshToken ?? '' },
              client,
              memory,
              options,
              context,
            )
          : await exchange(token, { ...subject, subjectToken }, client, memory, options, context);
      } catch (error) {
        return rejectionOf(token, error);
      }
    },
  };
}

/** Keys are fetched only over https, or over http on loopback if allowed. */
function keysBySend({ allowLoopbackHttp }: ClientOptions): (send: Send) => KeyFinder {
  const known = new WeakMap<Send, KeyFinder>();
  return (send) => {
    const secureSend: Send = async (request) => {
      secureEndpoint(request.url, "an issuer's keys", allowLoopbackHttp);
      return send(request);
    };
    const keys =
      known.get(send) ?? createIssuerKeys({ send: secureSend, insecure: allowLoopbackHttp });
    known.set(send, keys);
    return keys;
  };
}

function renewable({ top }: TokenSnapshot, client: TokenClient | undefined): Parsed<true> {
  if (!client) return { ok: false, reason: 'its provider is not configured' };
  if (isPresent(top)) return { ok: true, value: true };
  const reason = top.kind === 'missing' ? '.top is missing' : `.top ${top.reason}`;
  return { ok: false, reason: `${reason}: the user must store a token again` };
}

async function exchange(
  token: TokenSnapshot,
  subject: Subject & { readonly subjectToken: string },
  client: TokenClient,
  { metadata, keys, issuers }: Memory,
  options: ClientOptions,
  context: ProviderContext,
): Promise<Outcome> {
  const { send } = context;
  learnClaimed(issuers, tokenId(token), subject.subjectToken, client.issuers);
  const issuer = await verifiedIssuer(token, subject.subjectToken, client, keys(send), context.now);
  learnIssuer(issuers, tokenId(token), issuer);
  const registration = await registrationOf(client, issuer, metadata, options, context);
  const scope = subject.scope ?? scopesFor(client.scopes, token.user);
  const answer = await tokenExchangeGrant(send, registration, {
    subjectToken: subject.subjectToken,
    scope,
    audience: subject.audience ?? client.audience,
    resources: client.resources,
    now: context.now,
  });
  const { refreshToken } = answer;
  const top = refreshToken === undefined ? undefined : exchangedTop(subject, refreshToken, issuer);
  try {
    const noted = checkGrant(answer, scope, subject, client);
    return { ...issued(client, answer, top, options, context), ...noted };
  } catch (error) {
    return rejectionAfter(token, error, top);
  }
}

async function renew(
  token: TokenSnapshot,
  subject: Subject & { readonly refreshToken: string },
  client: TokenClient,
  { metadata, issuers }: Memory,
  options: ClientOptions,
  context: ProviderContext,
): Promise<Outcome> {
  const { refreshToken } = subject;
  const issuer = issuerOfRefresh(token, subject, client);
  learnIssuer(issuers, tokenId(token), issuer);
  const registration = await registrationOf(client, issuer, metadata, options, context);
  let top: string | undefined;
  const rotate = (next: string): void => {
    if (next !== refreshToken) top = exchangedTop(subject, next, issuer);
  };
  try {
    const asked = subject.scope ?? scopesFor(client.scopes, token.user);
    const request = { refreshToken, now: context.now, salvage: rotate };
    const answer = await refreshGrant(context.send, registration, request);
    if (answer.refreshToken !== undefined) rotate(answer.refreshToken);
    const noted = checkGrant(answer, asked, subject, client);
    return { ...issued(client, answer, top, options, context), ...noted };
  } catch (error) {
    return rejectionAfter(token, error, top);
  }
}

/** Compares scopes and audience with the request. @throws CodedError `SCOPE_WIDENED` */
function checkGrant(
  { accessToken, scope }: TokenAnswer,
  asked: string,
  subject: Subject,
  client: TokenClient,
): { readonly note?: string } {
  const { note } = checkScopes({
    name: client.name,
    scopes: client.policy.scopes,
    asked,
    granted: scope,
  });
  const audience = [...(subject.audience ?? client.audience), ...client.resources];
  return joinNotes(note, audienceNote(audience, accessToken));
}

function issued(
  client: TokenClient,
  answer: TokenAnswer,
  top: string | undefined,
  options: ClientOptions,
  context: ProviderContext,
): Outcome & { kind: 'issued' } {
  const use = clientUse(client, answer, context, options);
  return issuedWith(use, top, bareState(client.json, answer, use));
}

// The issuer of each token if several are configured; used only to choose a queue.

/**
 * Maximum number of remembered tokens; a forgotten issuer is learnt at the next attempt.
 */
const MOST = 50_000;

/** Remembers the origin of the issuer of token `id`. */
export function learnIssuer(issuers: Map<string, string>, id: string, issuer: string): void {
  issuers.delete(id);
  issuers.set(id, originOf(issuer));
  if (issuers.size <= MOST) return;
  const [oldest = id] = issuers.keys();
  issuers.delete(oldest);
}

/**
 * Remembers the issuer that a token claims, unverified, if it is one of `configured`: if
 * its keys cannot be fetched, that issuer was asked.
 */
export function learnClaimed(
  issuers: Map<string, string>,
  id: string,
  jwt: string,
  configured: readonly string[],
): void {
  const claimed = jwtClaims(jwt)?.['iss'];
  const issuer = configured.find((one) => one === claimed);
  if (issuer !== undefined) learnIssuer(issuers, id, issuer);
}

/**
 * The contents of a `.top`. `subjectToken`: stored by the user; `refreshToken`: stored
 * after an exchange.
 */
export interface Subject {
  readonly top: Readonly<Record<string, unknown>>;
  readonly subjectToken: string | undefined;
  readonly refreshToken: string | undefined;
  /** The requested scopes: `scopes` in CredD's files, `scope` in the reference's. */
  readonly scope: string | undefined;
  readonly audience: readonly string[] | undefined;
}

/** Seconds that the issuer's clock may be ahead. */
const LEEWAY = 30;

/**
 * Parses `.top`.
 * @throws CodedError `SUBJECT_REFUSED` when `.top` contains nothing to exchange or to
 * renew with
 */
export function subjectOf(token: TokenSnapshot, files: TokenFiles): Subject {
  const object = files.top.ok ? parseObject(files.top.value) : files.top;
  if (!object.ok) throw subjectError(token, `.top ${object.reason}`);
  const top = object.value;
  const text = (...names: string[]): string | undefined => {
    const value = names
      .map((name) => top[name])
      .find((found) => typeof found === 'string' && found !== '');
    return typeof value === 'string' ? value : undefined;
  };
  const audience = text('audience');
  const subject: Subject = {
    top,
    subjectToken: text('subject_token', 'access_token'),
    refreshToken: text('refresh_token'),
    scope: text('scopes', 'scope'),
    audience: audience === undefined ? undefined : splitScopes(audience),
  };
  if (subject.subjectToken !== undefined || subject.refreshToken !== undefined) return subject;
  throw subjectError(token, '.top contains neither access_token nor refresh_token');
}

/**
 * Returns the issuer of a stored token after a check of its signature, times and issuer.
 * @throws CodedError `SUBJECT_REFUSED`, or the error that prevented the check
 * @see RFC 8725
 */
async function verifiedIssuer(
  token: TokenSnapshot,
  subjectToken: string,
  { issuers }: TokenClient,
  keys: KeyFinder,
  now: number,
): Promise<string> {
  try {
    return (await verify(subjectToken, { keys, issuers, now, leeway: LEEWAY })).claims.iss;
  } catch (error) {
    if (
      !isCoded(error) ||
      !error.code.startsWith('TOKEN_') ||
      ERROR_CODES[error.code].actor === 'time'
    )
      throw error;
    throw subjectError(token, error.message, error);
  }
}

/**
 * Returns the issuer of a refresh token: the `iss` in `.top` if it is configured, or the
 * only configured issuer.
 * @throws CodedError `SUBJECT_REFUSED`
 */
export function issuerOfRefresh(
  token: TokenSnapshot,
  { top }: Subject,
  { issuers }: TokenClient,
): string {
  const { iss } = top;
  const issuer =
    iss === undefined && issuers.length === 1 ? issuers[0] : issuers.find((one) => one === iss);
  if (issuer !== undefined) return issuer;
  throw subjectError(token, '.top does not name a configured issuer');
}

/**
 * Returns the text of `.top` after an exchange: the refresh token and its issuer replace
 * the stored token.
 */
function exchangedTop({ top }: Subject, refreshToken: string, issuer: string): string {
  const kept = Object.entries(top).filter(
    ([name]) =>
      !['access_token', 'subject_token', 'token_url', 'expires_in', 'token_type'].includes(name),
  );
  return `${JSON.stringify({ ...Object.fromEntries(kept), refresh_token: refreshToken, iss: issuer })}\n`;
}

function subjectError(token: TokenSnapshot, why: string, cause?: unknown): CodedError {
  const id = tokenId(token);
  return new CodedError(
    'SUBJECT_REFUSED',
    `${id}: the stored token cannot be used: ${why}`,
    { token: id },
    cause,
  );
}
