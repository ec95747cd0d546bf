// A provider of which only issuer, client id and secret are configured (and the endpoints
// if it has no metadata), and what a user does at the portal to get its token.
import { writeKeyFile } from '@credmon/test-fixtures/files/credd';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import type { Knobs, Workspace } from '@credmon/test-fixtures/files/workspace';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { visit } from './browser.ts';

/** A client that is registered at the issuer. */
export interface RealProvider {
  readonly name: string;
  /** Missing: an issuer without metadata, whose endpoints are in the knobs. */
  readonly issuer?: string | undefined;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Knobs of the endpoints, which CredD writes into the key file; by default none. */
  readonly authorizationUrl?: string;
  readonly tokenUrl?: string;
}

/** The registration of a provider's client at a portal with the prefix of `workspace`. */
export function clientOf(
  workspace: Workspace,
  name: string,
): { clientId: string; clientSecret: string; redirectUris: string[] } {
  return {
    clientId: `${name}-client`,
    clientSecret: `CANARY-${name}-secret`,
    redirectUris: [`${workspace.webPrefix}/return/${name}`],
  };
}

/** Configures the client and the name of the issuer, and the URLs that `provider` has. */
export function configureProvider(
  workspace: Workspace,
  { name, issuer, clientId, clientSecret, authorizationUrl, tokenUrl }: RealProvider,
  knobs: Knobs = {},
): void {
  workspace.configure({
    [`${name}_CLIENT_ID`]: clientId,
    [`${name}_CLIENT_SECRET_FILE`]: workspace.secretFile(name, `${clientSecret}\n`),
    [`${name}_RETURN_URL_SUFFIX`]: `/return/${name}`,
    ...(issuer === undefined ? {} : { [`CREDMON_${name}_ISSUER`]: issuer }),
    ...(authorizationUrl === undefined ? {} : { [`${name}_AUTHORIZATION_URL`]: authorizationUrl }),
    ...(tokenUrl === undefined ? {} : { [`${name}_TOKEN_URL`]: tokenUrl }),
    ...Object.fromEntries(
      Object.entries(knobs).map(([suffix, value]) => [`CREDMON_${name}_${suffix}`, value]),
    ),
  });
}

/** Writes the key file of one request, as CredD does; returns the link for the user. */
export function requestToken(
  workspace: Workspace,
  { name, clientId, clientSecret, authorizationUrl = '', tokenUrl = '' }: RealProvider,
  {
    user = 'alice',
    scopes,
    audience = '',
  }: { readonly user?: string; readonly scopes: string; readonly audience?: string | undefined },
): string {
  const ad = {
    Handle: '',
    Scopes: scopes,
    Audience: audience,
    ClientId: clientId,
    Provider: name,
    TokenUrl: tokenUrl,
    LocalUser: user,
    ReturnUrl: `${workspace.webPrefix}/return/${name}`,
    ClientSecret: clientSecret,
    AuthorizationUrl: authorizationUrl,
  };
  return writeKeyFile(workspace.credentialDirectory, workspace.webPrefix, [ad]).url;
}

/** What a user has seen at the end of a sign-in. */
export interface SignedIn {
  /** The heading and the text of the portal's last page. */
  readonly heading: string;
  readonly text: string;
  /** Origins of the portal's and the issuer's pages. */
  readonly origins: ReadonlySet<string>;
}

/**
 * Opens the link in a profile of its own, goes to the issuer, lets `atIssuer` do what a
 * user does there, and confirms the account if the portal asks.
 */
export async function signInAt(
  browser: Browser,
  link: string,
  atIssuer: (page: Page) => Promise<void>,
): Promise<SignedIn> {
  const visitor = await visit(browser);
  const { page, origins } = visitor;
  await page.goto(link);
  const portal = new URL(page.url()).origin;
  await page.getByRole('button', { name: 'Sign in to' }).click();
  await page.waitForURL((url) => url.origin !== portal);
  await atIssuer(page);
  await page.waitForURL((url) => url.origin === portal);
  const store = page.getByRole('button', { name: 'Store for' });
  if (await store.isVisible()) await store.click();
  const heading = await page.getByRole('heading', { level: 1 }).innerText();
  const text = (await page.locator('main').innerText()).replaceAll(/\s+/g, ' ');
  await visitor.close();
  return { heading, text, origins };
}

/** One file of a token, `user/stem`, as JSON. */
export function tokenFile(
  { credentialDirectory }: Workspace,
  token: string,
  kind: 'top' | 'use' | 'meta',
): Record<string, unknown> {
  return readJson(join(credentialDirectory, `${token}.${kind}`));
}
