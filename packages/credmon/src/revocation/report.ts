// A revocation as data: its plan (requests to the issuer, secrets that cannot be revoked)
// and its report (an audit line per token, a row for programs). Pure, and without
// secrets.
import type { Revoked } from './revoke-token.ts';
import { splitStem, tokenId } from '@credmon/core/credential';

/**
 * A token and its result. `provider`: `null` when there is none; `left`: not named in the
 * command, and kept; `renewing`: a daemon may have been renewing it at that moment.
 */
export interface RevocationReport {
  readonly user: string;
  readonly stem: string;
  readonly provider: string | null;
  readonly result: Revoked;
  readonly left?: true;
  readonly renewing?: true;
}

/** One row of `--json`. `secrets` contains results, never a secret. */
export interface RevokedRow {
  readonly user: string;
  readonly service: string;
  readonly handle: string;
  readonly provider: string | null;
  readonly state: 'revoked' | 'removed' | 'kept';
  readonly why: string | null;
  readonly files: readonly string[];
  readonly secrets: readonly SecretResult[];
}

/** Returns the sentence for the log and the terminal; `who` asked. */
export function sentenceOf(report: RevocationReport, who: string): string {
  const { provider, result, left, renewing } = report;
  const name = `${tokenId(report)}${provider === null ? '' : ` (${provider})`}`;
  if (result.kind === 'kept') return `${left ? 'kept' : 'did not revoke'} ${name}: ${result.why}`;
  const { files, results } = result;
  const gone = files.length === 0 ? 'its files were already removed' : files.join(', ');
  const ends = results.map(textOf).join('; ');
  return `removed ${name} as ${who} asked: ${gone}${ends === '' ? '' : `; ${ends}`}${renewing ? `; ${RENEWING}` : ''}`;
}

const RENEWING =
  'condor_credmon may have been renewing it: a new token from the issuer would not be stored, and is NOT revoked';

function textOf(result: SecretResult): string {
  return result.revoked
    ? `${result.what} revoked at ${result.where}`
    : `${result.what} NOT revoked: ${result.why}`;
}

/** Returns the row for programs. */
export function rowOf({ user, stem, provider, result, renewing }: RevocationReport): RevokedRow {
  const name = splitStem(stem, false) ?? { service: stem, handle: '' };
  if (result.kind === 'kept')
    return { user, ...name, provider, state: 'kept', why: result.why, files: [], secrets: [] };
  const { files, results: secrets } = result;
  const state = secrets.every(({ revoked }) => revoked) ? 'revoked' : 'removed';
  return { user, ...name, provider, state, why: renewing ? RENEWING : null, files, secrets };
}

/**
 * True when a person must still act: a named token was kept, or a secret was not revoked
 * at an issuer that could do it.
 */
export function needsPerson({ result, left }: RevocationReport): boolean {
  if (result.kind === 'kept') return left !== true;
  return result.results.some((each) => !each.revoked && each.fixable);
}

/** What a revocation would do. */
export type Preview =
  | { readonly kind: 'kept'; readonly why: string }
  | {
      readonly kind: 'planned';
      readonly files: readonly string[];
      readonly revoked: readonly { readonly what: string; readonly where: string }[];
      readonly unrevoked: readonly Unrevoked[];
    };

/** A token and what would be done; the fields are those of {@link RevocationReport}. */
export interface PreviewReport extends Omit<RevocationReport, 'result' | 'renewing'> {
  readonly result: Preview;
}

/** One row of `--dry-run --json`. */
export interface PreviewRow extends Omit<RevokedRow, 'state' | 'secrets'> {
  readonly state: 'planned' | 'kept';
  readonly revoked: readonly { readonly what: string; readonly where: string }[];
  readonly not_revoked: readonly {
    readonly what: string;
    readonly why: string;
    readonly fixable: boolean;
  }[];
}

/** Returns the sentence of `--dry-run`. */
export function previewSentence(report: PreviewReport): string {
  const { provider, result } = report;
  const name = `${tokenId(report)}${provider === null ? '' : ` (${provider})`}`;
  if (result.kind === 'kept') return `would keep ${name}: ${result.why}`;
  const { files, revoked, unrevoked } = result;
  const parts = [
    ...(files.length === 0 ? ['no files'] : [files.join(', ')]),
    ...revoked.map(({ what, where }) => `revoke its ${what} at ${where}`),
    ...unrevoked.map(({ what, why }) => `NOT revoke its ${what}: ${why}`),
  ];
  return `would remove ${name}: ${parts.join('; ')}`;
}

/** Returns the row of `--dry-run` for programs. */
export function previewRow({ user, stem, provider, result }: PreviewReport): PreviewRow {
  const token = { user, ...(splitStem(stem, false) ?? { service: stem, handle: '' }), provider };
  if (result.kind === 'kept')
    return { ...token, state: 'kept', why: result.why, files: [], revoked: [], not_revoked: [] };
  const { files, revoked, unrevoked } = result;
  const not_revoked = unrevoked.map(({ what, why, fixable }) => ({ what, why, fixable }));
  return { ...token, state: 'planned', why: null, files, revoked, not_revoked };
}

/** True when a person would still have to act afterwards. */
export function wouldNeedPerson({ result, left }: PreviewReport): boolean {
  if (result.kind === 'kept') return left !== true;
  return result.unrevoked.some(({ fixable }) => fixable);
}

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
