// Where issuers publish their metadata.

/**
 * The URLs of an issuer's metadata, in the order in which they are requested.
 * @see OpenID Connect Discovery 1.0, section 4; RFC 8414, section 3
 */
export function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  return [
    `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`,
  ];
}
