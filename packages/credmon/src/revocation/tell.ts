// What a revocation says: one audit line for each token, a row for machines, and whether
// a person must still act. Pure, and without secrets.
import { splitStem, tokenId } from '@credmon/core/credential';
import type { Revoked } from './revoke-token.ts';
import type { Fate } from './steps.ts';

/**
 * A token and what became of it. `provider` is `null` when nobody owns it; `left`: it was
 * not asked for by name, and stays; `renewing`: a daemon may have been asking its issuer
 * for the next one at that moment.
 */
export interface Told {
  readonly user: string;
  readonly stem: string;
  readonly provider: string | null;
  readonly result: Revoked;
  readonly left?: true;
  readonly renewing?: true;
}

/** One row of `--json`. `secrets` never holds one: it says what became of each. */
export interface RevokedRow {
  readonly user: string;
  readonly service: string;
  readonly handle: string;
  readonly provider: string | null;
  readonly state: 'revoked' | 'removed' | 'kept';
  readonly why: string | null;
  readonly files: readonly string[];
  readonly secrets: readonly Fate[];
}

/** The sentence for a log and a terminal; `who` asked. */
export function sentenceOf(told: Told, who: string): string {
  const { provider, result, left, renewing } = told;
  const name = `${tokenId(told)}${provider === null ? '' : ` (${provider})`}`;
  if (result.kind === 'kept') return `${left ? 'left' : 'did not revoke'} ${name}: ${result.why}`;
  const { files, fates } = result;
  const gone = files.length === 0 ? 'its files had gone already' : files.join(', ');
  const ends = fates.map(textOf).join('; ');
  return `removed ${name} as ${who} asked: ${gone}${ends === '' ? '' : `; ${ends}`}${renewing ? `; ${RENEWING}` : ''}`;
}

const RENEWING =
  'condor_credmon may have been renewing it: what the issuer answers now is stored nowhere, and NOT revoked';

function textOf(fate: Fate): string {
  return fate.revoked
    ? `${fate.what} revoked at ${fate.where}`
    : `${fate.what} NOT revoked: ${fate.why}`;
}

/** The row for machines. */
export function rowOf({ user, stem, provider, result, renewing }: Told): RevokedRow {
  const name = splitStem(stem, false) ?? { service: stem, handle: '' };
  if (result.kind === 'kept')
    return { user, ...name, provider, state: 'kept', why: result.why, files: [], secrets: [] };
  const { files, fates: secrets } = result;
  const state = secrets.every(({ revoked }) => revoked) ? 'revoked' : 'removed';
  return { user, ...name, provider, state, why: renewing ? RENEWING : null, files, secrets };
}

/**
 * True when somebody must still act: a token that was asked for stays, or lives on at an
 * issuer that could end it.
 */
export function needsPerson({ result, left }: Told): boolean {
  if (result.kind === 'kept') return left !== true;
  return result.fates.some((fate) => !fate.revoked && fate.fixable);
}
