// Judges what an issuer granted against what was asked for: never more; less is told.
import { CodedError, compareScopes } from '@credmon/core';

/** `asked` as it was sent; `granted` as the answer has it, if it says; `extra` are scopes that may be granted unasked. */
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
export function judgeGrant({ name, asked, granted, extra }: Grant): { readonly note?: string } {
  const { wider, narrower } = compareScopes(asked, granted);
  const unasked = wider.filter((scope) => !extra.includes(scope));
  if (unasked.length === 0)
    return narrower.length === 0 ? {} : { note: `the issuer did not grant ${listed(narrower)}` };
  const mend = `if that is right, name them in CREDMON_${name}_EXTRA_SCOPES`;
  throw new CodedError(
    'SCOPE_WIDENED',
    `the issuer of ${name} granted more than was asked for (${listed(unasked)}), and the token was not stored; ${mend}`,
    { provider: name },
  );
}

function listed(scopes: readonly string[]): string {
  return scopes.slice(0, 20).join(' ').slice(0, 300);
}
