// What an issuer of a profile answers, as data: the server profile-issuer.ts reads it.
import type { ProfileName } from '@credmon/core/profiles';

/** A failed answer: the status, and the JSON object of the body. */
export interface Failure {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The endpoints of an issuer under their real names. */
export interface Endpoints {
  readonly authorize: string;
  readonly token: string;
  readonly jwks?: string;
  readonly revoke?: string;
  readonly device?: string;
}

/** A token beside the first one in the same answer. */
export interface OtherToken {
  readonly resourceServer: string;
  readonly scopes: readonly string[];
}

/** How an issuer of a profile answers. A missing member: the issuer does not do that. */
export interface IssuerAnswers {
  readonly profile: ProfileName;
  /** The issuer identifier of the configuration, if the issuer has metadata. */
  readonly issuer?: string;
  readonly endpoints: Endpoints;
  /** Further members of the metadata; they replace the usual ones. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Claims of the ID token; they replace the usual ones. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** True if ID tokens have the claim `at_hash`. */
  readonly hashesToken?: boolean;
  /** Further parameters of the callback. */
  readonly callback?: Readonly<Record<string, string>>;
  /** True if the callback has the parameter `iss`. */
  readonly sendsIssuer?: boolean;
  readonly authentication: readonly ('post' | 'basic')[];
  /** Parameters that the authorization and the token endpoint refuse. */
  readonly refused?: Readonly<Record<string, Failure>>;
  /** What each refresh must repeat, and the answer without it. */
  readonly refreshNeeds?: { readonly parameter: string; readonly failure: Failure };
  /** `expires_in` in seconds; missing: the answer has none. */
  readonly lifetime?: number;
  /** What a login must have asked for to get a refresh token. */
  readonly refresh: 'always' | 'never' | { readonly scope: string } | Parameters;
  /** What a later login must have asked for to get a refresh token again. */
  readonly again?: Parameters;
  /**
   * The refresh token after a refresh: the same, without a member; the same, repeated; a
   * new one, and the old one stays valid; a new one, and the old one is spent.
   */
  readonly rotation: 'none' | 'repeated' | 'new' | 'single-use';
  /** Returns the granted scopes; without it the answer has no `scope`. */
  readonly grants?: (asked: readonly string[]) => readonly string[];
  /** True if a sign-in with a scope that the client may not ask for is refused. */
  readonly refusesScopes?: boolean;
  /** True if an answer is a form, unless the client accepts JSON. */
  readonly formByDefault?: boolean;
  /** What stands between scopes in an answer. */
  readonly separator?: ',';
  /** Returns the tokens of an answer with several; the first is the answer itself. */
  readonly tokens?: (granted: readonly string[]) => readonly OtherToken[];
  /** Further members of a token answer. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** The refresh token is dead; the code is not valid; the client is not accepted. */
  readonly failures: Readonly<Record<'grant' | 'code' | 'client', Failure>>;
}

/** Parameters of an authorization request. */
export interface Parameters {
  readonly parameters: Readonly<Record<string, string>>;
}

/** An OAuth error with status 400 or another one. */
export function oauthError(error: string, description?: string, status = 400): Failure {
  return {
    status,
    body: { error, ...(description === undefined ? {} : { error_description: description }) },
  };
}
