// A browser for tests: keeps cookies, follows redirects on request, and submits the forms
// of pages.
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';

export interface Page {
  readonly status: number;
  readonly text: string;
  readonly headers: LightMyRequestResponse['headers'];
  readonly location: string;
}

export interface Browser {
  readonly cookies: Map<string, string>;
  get(path: string, headers?: Record<string, string>): Promise<Page>;
  head(path: string): Promise<Page>;
  /** GET, following redirects on this server. */
  open(path: string): Promise<Page>;
  post(
    path: string,
    fields: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<Page>;
  /** Presses the button of a token on the list; the response redirects to the issuer. */
  login(stem: string, mount?: string): Promise<Page>;
  /** The URL that the issuer redirects the browser to after `login`. */
  returnFrom(login: Page, answer?: Record<string, string>): string;
  /**
   * Opens the URL that the issuer redirects to, and confirms the account if the portal
   * asks.
   */
  follow(path: string): Promise<Page>;
  /** {@link returnFrom}, then {@link follow}. */
  complete(login: Page, answer?: Record<string, string>): Promise<Page>;
  /** Presses a button of the question at `path`. */
  decide(path: string, decision: 'store' | 'decline'): Promise<Page>;
  /** A second browser at the same server, with its own cookies. */
  another(): Browser;
  /** The same cookies at another server. */
  at(other: Browser): Browser;
}

const HTTPS = { 'x-forwarded-proto': 'https', host: 'ap.example' };

export function createBrowser(
  app: FastifyInstance,
  cookies: Map<string, string> = new Map(),
): Browser {
  const remember = (response: LightMyRequestResponse): Page => {
    for (const { name, value } of response.cookies) {
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    return {
      status: response.statusCode,
      text: response.body,
      headers: response.headers,
      location: response.headers.location ?? '',
    };
  };
  const cookieHeader = (): { readonly cookie?: string } => {
    const pairs = [...cookies].map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    // A browser without cookies sends no header, not an empty one.
    return pairs.length === 0 ? {} : { cookie: pairs.join('; ') };
  };
  const browser: Browser = {
    cookies,
    get: async (url, headers = {}) =>
      remember(await app.inject({ url, headers: { ...HTTPS, ...cookieHeader(), ...headers } })),
    head: async (url) => remember(await app.inject({ method: 'HEAD', url, headers: HTTPS })),
    async open(path) {
      let page = await browser.get(path);
      while (page.status === 303 && page.location.startsWith('/'))
        page = await browser.get(page.location);
      return page;
    },
    post: async (url, fields, headers = {}) =>
      remember(
        await app.inject({
          method: 'POST',
          url,
          headers: {
            ...HTTPS,
            ...cookieHeader(),
            'content-type': 'application/x-www-form-urlencoded',
            ...headers,
          },
          payload: new URLSearchParams(fields).toString(),
        }),
      ),
    async login(stem, mount = '') {
      const list = await browser.get(`${mount}/`);
      return browser.post(`${mount}/login/${stem}`, { _csrf: csrfOf(list) });
    },
    returnFrom(login, answer = { code: 'canary-code' }) {
      const asked = new URL(login.location).searchParams;
      const back = new URL(asked.get('redirect_uri') ?? '');
      const query = new URLSearchParams({ ...answer, state: asked.get('state') ?? '' });
      return `${back.pathname}?${query.toString()}`;
    },
    async follow(path) {
      const page = await browser.get(path);
      return page.status === 303 && page.location.includes('/confirm/')
        ? browser.decide(page.location, 'store')
        : page;
    },
    complete: (login, answer) => browser.follow(browser.returnFrom(login, answer)),
    decide: async (path, decision) =>
      browser.post(path, { _csrf: csrfOf(await browser.get(path)), decision }),
    another: () => createBrowser(app),
    at: (other) => {
      for (const [name, value] of cookies) other.cookies.set(name, value);
      return other;
    },
  };
  return browser;
}

export const csrfOf = ({ text }: Page): string =>
  /name="_csrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
