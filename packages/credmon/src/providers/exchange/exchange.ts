// Tokens in exchange for one that the user stored: verified first, exchanged once, then
// renewed with the refresh token that came.
import {
  tokenId,
  type Parsed,
  type TokenAnswer,
  type TokenSnapshot,
} from '@credmon/core/credential';
import { refreshGrant, tokenExchangeGrant, type MetadataCache } from '@credmon/core/oauth';
import { jwtClaims, secureEndpoint, type Send, originOf } from '@credmon/core/base';
import { createIssuerKeys, type KeyFinder } from '@credmon/scitokens';
import {
  lookUpClients,
  metadataOf,
  registrationOf,
  clientUse,
  type ClientOptions,
} from '../client/registration.ts';
import { type TokenClient, scopesFor } from '../../settings/clients.ts';
import { audienceNote, joinNotes, checkScopes } from '../common/granted-scopes.ts';
import type { Outcome, Provider, ProviderContext } from '../common/provider.ts';
import { issuedWith, refusal, rejectionAfter } from '../common/outcomes.ts';
import { asPromised, remember } from '../common/expiry-cache.ts';
import {
  exchangedTop,
  issuerOfRefresh,
  subjectOf,
  verifiedIssuer,
  type Subject,
} from './subject.ts';

/** What is remembered of issuers from renewal to renewal. */
interface Memory {
  readonly metadata: MetadataCache;
  readonly keys: (send: Send) => KeyFinder;
  /**
   * The issuer of each token, once it is known: with several, none may wait for another's
   * bad days.
   */
  readonly issuers: Map<string, string>;
}

/**
 * The token exchange provider. The issuer is one that the administrator configured,
 * compared exactly with the token's `iss`; no secret leaves before the token's signature
 * has been found to be that issuer's.
 * @see RFC 8693
 */
export function tokenExchange(options: ClientOptions): Provider {
  const memory = {
    metadata: metadataOf(options),
    keys: keysOnce(options),
    issuers: new Map<string, string>(),
  };
  const { clientOf, basis, issuerOf } = lookUpClients(options);
  return {
    name: 'exchange',
    view: (token) => asPromised(options.promises, token, options.defaultLifetime),
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
        if (!client) return refusal(token, new TypeError('no client'));
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
        return refusal(token, error);
      }
    },
  };
}

/**
 * Keys are fetched as secrets are sent: over https, or http on loopback by exception, and
 * nowhere else.
 */
function keysOnce({ allowLoopbackHttp }: ClientOptions): (send: Send) => KeyFinder {
  const known = new WeakMap<Send, KeyFinder>();
  return (send) => {
    const careful: Send = async (request) => {
      secureEndpoint(request.url, "an issuer's keys", allowLoopbackHttp);
      return send(request);
    };
    const keys =
      known.get(send) ?? createIssuerKeys({ send: careful, insecure: allowLoopbackHttp });
    known.set(send, keys);
    return keys;
  };
}

function renewable({ top }: TokenSnapshot, client: TokenClient | undefined): Parsed<true> {
  if (!client) return { ok: false, reason: 'its provider is not configured' };
  if (top.kind === 'valid') return { ok: true, value: true };
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
    const noted = judged(answer, scope, subject, client);
    return { ...issued(token, client, answer, top, options, context), ...noted };
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
    const wish = { refreshToken, now: context.now, salvage: rotate };
    const answer = await refreshGrant(context.send, registration, wish);
    if (answer.refreshToken !== undefined) rotate(answer.refreshToken);
    const noted = judged(answer, asked, subject, client);
    return { ...issued(token, client, answer, top, options, context), ...noted };
  } catch (error) {
    return rejectionAfter(token, error, top);
  }
}

/** Scopes and audience against what was asked for. @throws CodedError `SCOPE_WIDENED` */
function judged(
  { accessToken, scope }: TokenAnswer,
  asked: string,
  subject: Subject,
  client: TokenClient,
): { readonly note?: string } {
  const { note } = checkScopes({ ...client, extra: client.extraScopes, asked, granted: scope });
  const audience = [...(subject.audience ?? client.audience), ...client.resources];
  return joinNotes(note, audienceNote(audience, accessToken));
}

function issued(
  token: TokenSnapshot,
  client: TokenClient,
  answer: TokenAnswer,
  top: string | undefined,
  options: ClientOptions,
  context: ProviderContext,
): Outcome & { kind: 'issued' } {
  const use = clientUse(client, answer, context, options);
  if (!client.json) remember(options.promises, token, use.times);
  return issuedWith(use, top);
}

// Which of several configured issuers a token is of, remembered for the queues alone:
// nothing is sent anywhere by it.

/**
 * So many tokens are remembered; the issuer of one that is forgotten is learnt again at
 * its next attempt.
 */
const MOST = 50_000;

/** Remembers the issuer of token `id` by its origin. */
export function learnIssuer(issuers: Map<string, string>, id: string, issuer: string): void {
  issuers.delete(id);
  issuers.set(id, originOf(issuer));
  if (issuers.size <= MOST) return;
  const [oldest = id] = issuers.keys();
  issuers.delete(oldest);
}

/**
 * Remembers the issuer that a token claims, unverified, if it is one of `configured`:
 * when its keys cannot be had, it was that one asked.
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
