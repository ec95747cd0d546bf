// The plan of a revocation as data: the requests to the issuer, and the secrets that
// cannot be revoked, with the reason.

/** The secrets of one token, in the order of revocation. These are secrets. */
export interface FoundSecrets {
  readonly refreshToken: string | undefined;
  readonly accessTokens: readonly string[];
}

/**
 * One request to an issuer. `what` and `where` are for people; `revoke` throws a
 * CodedError on failure.
 */
export interface Step {
  readonly what: string;
  readonly where: string;
  readonly revoke: () => Promise<void>;
}

/** The result for one secret. `fixable`: a person can do something about it. */
export type SecretResult =
  | { readonly what: string; readonly revoked: true; readonly where: string }
  | {
      readonly what: string;
      readonly revoked: false;
      readonly why: string;
      readonly fixable: boolean;
    };

/** A secret that was not revoked. */
export type Unrevoked = Extract<SecretResult, { revoked: false }>;

/** The plan for a token's secrets. */
export interface Steps {
  readonly steps: readonly Step[];
  readonly unrevoked: readonly Unrevoked[];
}

/** Plans no requests: no secret is revoked, with the reason `why`. */
export function noRequests(
  { refreshToken, accessTokens }: FoundSecrets,
  why: string,
  fixable: boolean,
): Steps {
  const whats = [
    ...(refreshToken === undefined ? [] : ['refresh token']),
    ...accessTokens.map(() => 'access token'),
  ];
  return { steps: [], unrevoked: whats.map((what) => ({ what, revoked: false, why, fixable })) };
}
