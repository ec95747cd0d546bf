// Loads oidc-provider without its warning about the version of Node.
import type * as OidcProvider from 'oidc-provider';

/** The module, loaded once. */
export async function loadOidcProvider(): Promise<typeof OidcProvider> {
  const { warn } = console;
  console.warn = (...text: unknown[]) => {
    if (!String(text[0]).includes('Unsupported runtime')) warn(...text);
  };
  try {
    return await import('oidc-provider');
  } finally {
    console.warn = warn;
  }
}
