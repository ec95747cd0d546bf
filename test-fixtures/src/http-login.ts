// An authorization code login at an issuer without a browser: for tests that only need the tokens.
import { createHash, randomBytes } from 'node:crypto';
import { httpBrowser, type HttpBrowser, type Page } from './http-browser.ts';

/** What is asked of the issuer. `resource` is left out when empty, `scope` never. */
export interface LoginRequest {
  readonly authorizationUrl: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scope?: string;
  readonly resource?: string;
  /** The account to log in as; the issuer's own when not given. */
  readonly account?: string;
  /** PKCE is used unless this is false. */
  readonly pkce?: boolean;
}

/** The parameters that came back to the redirect address, and the verifier for the token request. */
export interface LoginAnswer {
  readonly parameters: Readonly<Record<string, string>>;
  readonly codeVerifier?: string;
}

/** Logs in (or cancels) and answers with what the redirect address received; nobody needs to listen there. */
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
    ...(request.resource === undefined || request.resource === '' ? {} : { resource: request.resource }),
    ...(request.pkce === false
      ? {}
      : {
          code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
          code_challenge_method: 'S256',
        }),
  }).toString();
  const browser = httpBrowser({ stopAt: request.redirectUri });
  const page = await browser.open(url.href);
  const back = page.stopped ? page : await pressButton(browser, page, press, request.account);
  if (!back.stopped) throw new Error(`the issuer did not send the login back: ${back.status} ${back.url}`);
  return {
    parameters: Object.fromEntries(new URL(back.url).searchParams),
    ...(request.pkce === false ? {} : { codeVerifier }),
  };
}

/** Presses a button of the issuer's login page. @throws Error when the page has no such button. */
export function pressButton(
  browser: HttpBrowser,
  page: Page,
  press: 'login' | 'cancel',
  account?: string,
): Promise<Page> {
  const form = page.forms.find(({ buttons }) => buttons.some(({ value }) => value === press));
  if (form === undefined) throw new Error(`no ${press} button at ${page.url}, status ${page.status}`);
  return browser.submit(form, { name: 'do', value: press }, account === undefined ? {} : { account });
}

/** Posts to a token endpoint and answers with status and JSON; a body that is not JSON is answered as text. */
export async function postToken(
  tokenUrl: string,
  fields: Record<string, string>,
): Promise<{ status: number; answer: Record<string, unknown>; text: string; headers: Headers }> {
  const response = await fetch(tokenUrl, {
    method: 'POST',
    body: new URLSearchParams(fields),
    redirect: 'manual',
  });
  const text = await response.text();
  const json = response.headers.get('content-type')?.includes('json') === true && text.startsWith('{');
  return {
    status: response.status,
    answer: json ? (JSON.parse(text) as Record<string, unknown>) : {},
    text,
    headers: response.headers,
  };
}
