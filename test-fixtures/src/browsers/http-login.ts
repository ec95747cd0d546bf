// An authorization code login at an issuer without a browser, for tests that need only
// the tokens.
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { exchange, httpBrowser, type HttpBrowser, type Page } from './http-browser.ts';

/** The parameters of the login. An empty `resource` is not sent, an empty `scope` is. */
export interface LoginRequest {
  readonly authorizationUrl: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scope?: string;
  readonly resource?: string;
  /** The account to log in as; by default the account of the issuer. */
  readonly account?: string;
  /** PKCE is used unless this is false. */
  readonly pkce?: boolean;
  /** PEM text of the authority of the issuer's certificate. */
  readonly ca?: string;
}

/** The parameters of the redirect, and the verifier for the token request. */
export interface LoginAnswer {
  readonly parameters: Readonly<Record<string, string>>;
  readonly codeVerifier?: string;
}

/**
 * Logs in (or cancels) and returns the parameters of the redirect; no server needs to
 * listen there.
 */
export async function loginAtIssuer(
  request: LoginRequest,
  press: 'login' | 'cancel' = 'login',
): Promise<LoginAnswer> {
  const codeVerifier = randomBytes(32).toString('base64url');
  const url = new URL(request.authorizationUrl);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: request.clientId,
    redirect_uri: request.redirectUri,
    scope: request.scope ?? '',
    state: randomBytes(12).toString('base64url'),
    ...(request.resource === undefined || request.resource === ''
      ? {}
      : { resource: request.resource }),
    ...(request.pkce === false
      ? {}
      : {
          code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
          code_challenge_method: 'S256',
        }),
  }).toString();
  const browser = httpBrowser({
    stopAt: request.redirectUri,
    ...(request.ca === undefined ? {} : { ca: request.ca }),
  });
  const page = await browser.open(url.href);
  const back = page.stopped ? page : await pressButton(browser, page, press, request.account);
  if (!back.stopped)
    throw new Error(`the issuer did not send the login back: ${back.status} ${back.url}`);
  return {
    parameters: Object.fromEntries(new URL(back.url).searchParams),
    ...(request.pkce === false ? {} : { codeVerifier }),
  };
}

/**
 * Presses a button of the issuer's login page.
 * @throws Error if the page has no such button
 */
export function pressButton(
  browser: HttpBrowser,
  page: Page,
  press: 'login' | 'cancel',
  account?: string,
): Promise<Page> {
  const form = page.forms.find(({ buttons }) => buttons.some(({ value }) => value === press));
  if (form === undefined)
    throw new Error(`no ${press} button at ${page.url}, status ${page.status}`);
  return browser.submit(
    form,
    { name: 'do', value: press },
    account === undefined ? {} : { account },
  );
}

/** Confirms the account if the portal asks; returns any other page unchanged. */
export async function confirmAccount(
  browser: HttpBrowser,
  page: Page,
  decision: 'store' | 'decline' = 'store',
): Promise<Page> {
  const form = page.forms.find(({ action }) => new URL(action).pathname.includes('/confirm/'));
  return form === undefined ? page : browser.submit(form, { name: 'decision', value: decision });
}

/**
 * The response of a token endpoint. `answer` is empty if it is not a JSON object;
 * `headers` have lower-case names.
 */
export interface TokenEndpointAnswer {
  readonly status: number;
  readonly answer: Record<string, unknown>;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

/** Posts to a token endpoint without following redirects. */
export async function postToken(
  tokenUrl: string,
  fields: Record<string, string>,
  { ca, headers = {} }: { ca?: string; headers?: Record<string, string> } = {},
): Promise<TokenEndpointAnswer> {
  const body = new URLSearchParams(fields).toString();
  const { response, body: text } = await exchange(
    { method: 'POST', url: tokenUrl, body },
    headers,
    ca,
  );
  const json = response.headers['content-type']?.includes('json') === true && text.startsWith('{');
  return {
    status: response.statusCode ?? 0,
    answer: json ? (JSON.parse(text) as Record<string, unknown>) : {},
    text,
    headers: response.headers,
  };
}
