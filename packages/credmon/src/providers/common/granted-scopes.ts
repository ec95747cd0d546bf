// Judges what an issuer granted against what was asked for: never more; less is told.
import { CodedError } from '@credmon/core/base';
import { compareScopes } from '@credmon/core/credential';

/**
 * `asked` as it was sent; `granted` as the answer has it, if it says; `extra` are scopes
 * that may be granted unasked.
 */
export interface Grant {
  readonly name: string;
  readonly asked: string;
  readonly granted: string | undefined;
  readonly extra: readonly string[];
}

/**
 * What the administrator should know of a grant.
 * @throws CodedError `SCOPE_WIDENED` when there are scopes that nobody asked for
 * @see RFC 6749, sections 3.3 and 6
 */
export function checkScopes({ name, asked, granted, extra }: Grant): { readonly note?: string } {
  const { wider, narrower } = compareScopes(asked, granted);
  const unasked = wider.filter((scope) => !extra.includes(scope));
  if (unasked.length === 0)
    return narrower.length === 0 ? {} : { note: `the issuer did not grant ${listed(narrower)}` };
  const fix = `if that is right, name them in CREDMON_${name}_EXTRA_SCOPES`;
  throw new CodedError(
    'SCOPE_WIDENED',
    `the issuer of ${name} granted more than was asked for (${listed(unasked, LONGEST_UNASKED)}), and the token was not stored; ${fix}`,
    { provider: name },
  );
}

/** @see RFC 6749, section 3.3 (scope-token) */
const SCOPE_TOKEN = /^[!#-[\]-~]+$/;

/**
 * What nobody asked for could be anything, a token too; longer ones are not shown, in
 * characters.
 */
const LONGEST_UNASKED = 19;

function listed(scopes: readonly string[], longest = Number.POSITIVE_INFINITY): string {
  const shown = scopes
    .slice(0, 20)
    .map((scope) => (SCOPE_TOKEN.test(scope) && scope.length <= longest ? scope : '[...]'));
  return [...new Set(shown)].join(' ').slice(0, 300);
}
