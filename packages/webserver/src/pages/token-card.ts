// One requested token as a page shows it.
import { splitScopes, type ProviderRequest } from '@credmon/core/credential';
import { CodedError } from '@credmon/core/base';
import type { Flow, FlowToken, PendingAnswer } from '../flow/flow.ts';
import { pageFor } from './page-error.ts';

/** What the templates show of a token. */
export interface TokenCard {
  readonly stem: string;
  /** `provider`, or `provider` and handle. */
  readonly label: string;
  readonly provider: string;
  readonly handle: string;
  /**
   * What the key file says; missing when it has served and is gone. `issuer` is the host
   * that the browser will go to.
   */
  readonly asked?: {
    readonly scopes: readonly string[];
    readonly audience: string;
    readonly issuer: string;
  };
  readonly state: 'waiting' | 'failed' | 'signed-in';
  /** The id of an answer whose account the user has not confirmed yet. */
  readonly answer?: string;
  /** The title of the failure's page. */
  readonly failure?: string;
  readonly name?: string;
  /** Why nobody can sign in for it here. */
  readonly refused?: string;
  readonly missing: readonly string[];
  readonly renewable: boolean;
  /**
   * What became of a refresh token that was stored before, when the provider sent none.
   */
  readonly refresh?: 'kept' | 'replaced';
}

/**
 * The card of one of a flow's tokens; `request` is what the key file says of it,
 * `refused` why nobody can sign in for it, `open` the answers that wait for a decision.
 */
export function tokenCard(
  token: FlowToken,
  request: ProviderRequest | undefined,
  refused?: string,
  open: readonly PendingAnswer[] = [],
): TokenCard {
  const { stem, provider, handle, state } = token;
  // A decision that is being carried out needs no answer, unless the process that did so
  // has died.
  const waiting = open.findLast(
    (one) => one.stem === stem && (one.claim === undefined || state.kind !== 'signed-in'),
  );
  // Nothing can be stored without the key file.
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
    ...(refused === undefined ? {} : { refused }),
    ...(request === undefined ? {} : { asked: askedOf(request) }),
    ...(answer === undefined ? {} : { answer }),
    ...(signedIn?.name === undefined ? {} : { name: signedIn.name }),
    ...(signedIn?.refresh === undefined ? {} : { refresh: signedIn.refresh }),
    ...(state.kind === 'failed'
      ? { failure: pageFor(new CodedError(state.code, '')).page.title }
      : {}),
  };
}

function askedOf({
  scopes,
  audience,
  authorizationUrl,
}: ProviderRequest): NonNullable<TokenCard['asked']> {
  return { scopes: splitScopes(scopes), audience, issuer: new URL(authorizationUrl).host };
}

/** `provider`, or `provider handle`. */
export function labelOf({ provider, handle }: FlowToken): string {
  return handle === '' ? provider : `${provider} ${handle}`;
}

/** Finds a token by its stem, or by the `provider handle` of older links. */
export function findToken(flow: Flow, wanted: string): FlowToken | undefined {
  return flow.tokens.find((token) => token.stem === wanted || labelOf(token) === wanted);
}
