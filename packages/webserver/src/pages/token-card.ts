// The data that pages show of one requested token, and of an answer for it that waits for
// the decision of the user.
import { splitScopes, type ProviderRequest } from '@credmon/core/credential';
import { CodedError } from '@credmon/core/base';
import { missingScopes } from '../flow/check-answer.ts';
import type { PortalContext } from '../flow/context.ts';
import { accountName, type OpenQuestion } from '../flow/finish-login.ts';
import type { Flow, FlowToken, PendingAnswer } from '../flow/flow-value.ts';
import { signInHost } from '../flow/resolve-provider.ts';
import type { Settings } from '../settings/settings.ts';
import { pageFor } from './send-page.ts';

/** A request in the key file. `issuer` is the host that the browser will be sent to. */
interface AskedToken {
  readonly scopes: readonly string[];
  readonly audience: string;
  readonly issuer: string;
}

/** The data of one token for the templates. */
export interface TokenCard {
  readonly stem: string;
  /** `provider`, or `provider` and handle. */
  readonly label: string;
  readonly provider: string;
  readonly handle: string;
  /** Missing if the key file was used and removed. */
  readonly asked?: AskedToken | undefined;
  readonly state: 'waiting' | 'failed' | 'signed-in';
  /** The id of an answer whose account the user has not confirmed yet. */
  readonly answer?: string | undefined;
  /** The title of the error page of the last failure. */
  readonly failure?: string | undefined;
  readonly name?: string | undefined;
  /** Why a sign-in for this token is not possible. */
  readonly refused?: string | undefined;
  readonly missing: readonly string[];
  readonly renewable: boolean;
  readonly doesNotExpire: boolean;
  /** What happened to the stored refresh token, if the provider sent no new one. */
  readonly refresh?: 'kept' | 'replaced' | undefined;
}

/**
 * Returns the card of a token. `request` is its part of the key file, `refused` the
 * reason why a sign-in is not possible, and `open` the answers that wait for a decision.
 */
export function tokenCard(
  settings: Settings,
  token: FlowToken,
  request: ProviderRequest | undefined,
  refused?: string,
  open: readonly PendingAnswer[] = [],
): TokenCard {
  const { stem, provider, handle, state } = token;
  // A decision that is being carried out needs no answer, unless its process has died.
  const waiting = open.findLast(
    (one) => one.stem === stem && (one.claim === undefined || state.kind !== 'signed-in'),
  );
  // Without the key file, nothing can be stored.
  const answer = request === undefined ? undefined : waiting?.answer;
  const signedIn = state.kind === 'signed-in' ? state : undefined;
  return {
    stem,
    provider,
    handle,
    label: labelOf(token),
    state: state.kind,
    missing: signedIn?.missing ?? [],
    renewable: signedIn?.renewable ?? true,
    doesNotExpire: signedIn?.doesNotExpire === true,
    refused,
    asked: request && askedOf(settings, request),
    answer,
    name: signedIn?.name,
    refresh: signedIn?.refresh,
    failure:
      state.kind === 'failed' ? pageFor(new CodedError(state.code, '')).page.title : undefined,
  };
}

function askedOf(settings: Settings, request: ProviderRequest): AskedToken {
  const { scopes, audience } = request;
  return { scopes: splitScopes(scopes), audience, issuer: signInHost(settings, request) };
}

/** `provider`, or `provider handle`. */
export function labelOf({ provider, handle }: Pick<FlowToken, 'provider' | 'handle'>): string {
  return handle === '' ? provider : `${provider} ${handle}`;
}

/** Finds a token by its stem, or by the `provider handle` of older links. */
export function findToken(flow: Flow, wanted: string): FlowToken | undefined {
  return flow.tokens.find((token) => token.stem === wanted || labelOf(token) === wanted);
}

/** The data of the confirmation page. */
interface AnswerCard {
  /** `provider`, or `provider` and handle. */
  readonly label: string;
  readonly provider: string;
  /** The account that signed in; missing if the provider does not name it. */
  readonly account?: string | undefined;
  /** The host of the issuer. */
  readonly issuer: string;
  /** The granted scopes; empty if neither the request nor the response names any. */
  readonly scopes: readonly string[];
  readonly missing: readonly string[];
  readonly audience: string;
  /** How many minutes the answer is still kept; at least 1. */
  readonly minutes: number;
}

/** Returns the data of the confirmation page for an open question. */
export function answerCard(
  { settings, ports }: PortalContext,
  { pending, held, request }: OpenQuestion,
): AnswerCard {
  const { provider, scopes, audience } = request;
  const left = pending.heldAt + settings.loginSeconds - ports.clock.now();
  return {
    label: labelOf(request),
    provider,
    issuer: signInHost(settings, request),
    // A response without scopes grants the requested scopes.
    scopes: splitScopes(held.answer.scope ?? scopes),
    missing: missingScopes(settings, request, held.answer),
    audience,
    minutes: Math.max(1, Math.floor(left / 60)),
    account: accountName(held.answer),
  };
}
