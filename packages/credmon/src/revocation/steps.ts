// What revoking a token comes to, as data: the secrets that its issuer will be asked to
// end, and those that live on, with the reason.

/**
 * The secrets of one token, in the order in which they are revoked. These are secrets.
 */
export interface FoundSecrets {
  readonly refreshToken: string | undefined;
  readonly accessTokens: readonly string[];
}

/**
 * One request to an issuer. `what` and `where` are for people; `revoke` throws a
 * CodedError when the issuer does not do it.
 */
export interface Step {
  readonly what: string;
  readonly where: string;
  readonly revoke: () => Promise<void>;
}

/** What became of one secret. `fixable`: somebody can do something about it. */
export type Fate =
  | { readonly what: string; readonly revoked: true; readonly where: string }
  | {
      readonly what: string;
      readonly revoked: false;
      readonly why: string;
      readonly fixable: boolean;
    };

/** A secret that nobody is asked to end. */
export type Survivor = Extract<Fate, { revoked: false }>;

/** Everything to do about a token's secrets. */
export interface Steps {
  readonly steps: readonly Step[];
  readonly survivors: readonly Survivor[];
}

/** The plan when nothing is asked of anybody: each secret lives on, and `why` says so. */
export function nobodyAsked(
  { refreshToken, accessTokens }: FoundSecrets,
  why: string,
  fixable: boolean,
): Steps {
  const whats = [
    ...(refreshToken === undefined ? [] : ['refresh token']),
    ...accessTokens.map(() => 'access token'),
  ];
  return { steps: [], survivors: whats.map((what) => ({ what, revoked: false, why, fixable })) };
}
