// The path of a scope: percent escapes are decoded once, and components that verifiers
// read in different ways are found.

/** A component after decoding, or why verifiers could misread it. */
export type DecodedComponent = { readonly text: string } | { readonly problem: string };

/**
 * Decodes the percent escapes of one component of a scope's path, once. Rejects
 * components that a verifier could take for another path: invalid escapes, escapes that
 * are not UTF-8, `..`, and components that after decoding have a percent sign, a slash, a
 * backslash or a NUL. A component `.` is returned as it is, unless it was encoded.
 * @see RFC 3986 section 2.1; WLCG Common JWT Profiles, "Scope-based Attribute Selection"
 */
export function decodeComponent(component: string): DecodedComponent {
  const isEncoded = component.includes('%');
  const text = isEncoded ? decodeEscapes(component) : component;
  if (typeof text !== 'string') return text;
  if (isEncoded && /^\.{1,2}$/.test(text)) return { problem: 'an encoded dot segment' };
  if (text === '..') return { problem: 'a parent directory' };
  if (text.includes('%')) return { problem: 'a double encoding' };
  if (text.includes('/')) return { problem: 'an encoded separator' };
  if (text.includes('\\')) return { problem: 'a backslash' };
  if (text.includes('\0')) return { problem: 'a NUL' };
  return { text };
}

function decodeEscapes(component: string): string | { readonly problem: string } {
  if (/%(?![0-9a-f]{2})/i.test(component)) return { problem: 'an invalid percent escape' };
  try {
    return decodeURIComponent(component);
  } catch {
    return { problem: 'a percent escape that is not UTF-8' };
  }
}
