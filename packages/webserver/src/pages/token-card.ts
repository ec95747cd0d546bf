// One requested token as a page shows it.
import { splitScopes } from '@credmon/core';
import type { Flow } from '../flow/flow.ts';
import { pageFor } from '../plugins/page-error.ts';
import { CodedError } from '@credmon/core/base';

/** What the templates show of a token. */
export interface TokenCard {
  readonly stem: string;
  /** `provider`, or `provider` and handle. */
  readonly label: string;
  readonly provider: string;
  readonly handle: string;
  readonly scopes: readonly string[];
  readonly audience: string;
  /** The host that the browser will go to. */
  readonly issuer: string;
  readonly state: 'waiting' | 'failed' | 'signed-in';
  /** The title of the failure's page. */
  readonly failure?: string;
  readonly name?: string;
  readonly missing: readonly string[];
  readonly renewable: boolean;
}

/** The card of one of a flow's tokens. */
export function tokenCard(token: Flow['tokens'][number]): TokenCard {
  const { stem, provider, handle, audience, state } = token;
  const signedIn = state.kind === 'signed-in' ? state : undefined;
  return {
    stem,
    provider,
    handle,
    audience,
    label: handle === '' ? provider : `${provider} ${handle}`,
    scopes: splitScopes(token.scopes),
    issuer: new URL(token.origin).host,
    state: state.kind,
    missing: signedIn?.missing ?? [],
    renewable: signedIn?.renewable ?? true,
    ...(signedIn?.name === undefined ? {} : { name: signedIn.name }),
    ...(state.kind === 'failed' ? { failure: pageFor(new CodedError(state.code, '')).page.title } : {}),
  };
}

/** Finds a token by its stem, or by the `provider handle` of older links. */
export function findToken(flow: Flow, wanted: string): Flow['tokens'][number] | undefined {
  return flow.tokens.find((token) => token.stem === wanted || tokenCard(token).label === wanted);
}
