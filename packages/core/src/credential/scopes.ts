// Compares the scopes that were asked for with those that an issuer granted.

/** Scopes as a list: HTCondor separates them with commas, OAuth with blanks. */
export function splitScopes(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((scope) => scope !== ''))];
}

/**
 * The granted scopes that nobody asked for (`wider`) and the asked ones that were not
 * granted (`narrower`). An issuer that names no scope granted exactly what was asked;
 * nobody who asked for nothing in particular can get too much.
 * @see RFC 6749, section 3.3
 */
export function compareScopes(
  asked: string,
  granted: string | undefined,
): { wider: string[]; narrower: string[] } {
  if (granted === undefined) return { wider: [], narrower: [] };
  const wanted = splitScopes(asked);
  const given = splitScopes(granted);
  return {
    wider: wanted.length === 0 ? [] : given.filter((scope) => !wanted.includes(scope)),
    narrower: wanted.filter((scope) => !given.includes(scope)),
  };
}
