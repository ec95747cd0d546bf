// A browser without a window: cookies, redirects and forms over plain HTTP.
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { readForms, type Form } from './html-forms.ts';
import { PATIENCE } from '../clocks/patience.ts';

/** A page after all redirects. `headers` have lower-case names. */
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly forms: readonly Form[];
  /** All requested URLs in order; the URL of this page is the last. */
  readonly trail: readonly string[];
  /** True if `url` is the URL at which the browser stops; it was not requested. */
  readonly stopped: boolean;
}

/** A browser with its own cookies. */
export interface HttpBrowser {
  open(url: string): Promise<Page>;
  /** Submits a form like a click on `button`; `values` overrides or adds fields. */
  submit(
    form: Form,
    button?: { name?: string; value?: string },
    values?: Record<string, string>,
  ): Promise<Page>;
  /** The cookies that a request for `url` would send, by name. */
  cookies(url: string): Record<string, string>;
}

/**
 * Options: a trusted certificate authority (PEM text), headers for all requests, the
 * largest number of redirects, and a URL prefix that is not requested.
 */
export interface BrowserOptions {
  readonly ca?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly maxRedirects?: number;
  readonly stopAt?: string;
}

interface Cookie {
  readonly host: string;
  readonly path: string;
  readonly secure: boolean;
  readonly name: string;
  readonly value: string;
}

/** A request; `body` is form data. */
export interface Step {
  readonly method: string;
  readonly url: string;
  readonly body?: string;
}

/**
 * Creates an {@link HttpBrowser}. Like a real browser, it sends cookies by host and path,
 * for any port.
 */
export function httpBrowser(options: BrowserOptions = {}): HttpBrowser {
  let jar: Cookie[] = [];
  const cookiesFor = (url: URL): Cookie[] =>
    jar
      .filter((cookie) => cookie.host === url.hostname && pathMatches(url.pathname, cookie.path))
      .filter((cookie) => !cookie.secure || url.protocol === 'https:');

  const keep = (url: URL, header: string): void => {
    const cookie = parseCookie(url, header);
    jar = jar.filter(
      ({ host, path, name }) =>
        host !== cookie.host || path !== cookie.path || name !== cookie.name,
    );
    if (!cookie.expired) jar.push(cookie);
  };

  const visit = async (first: Step): Promise<Page> => {
    const trail: string[] = [];
    for (let step = first; ;) {
      if (trail.length > (options.maxRedirects ?? 20))
        throw new Error(`too many redirects: ${trail.join(' -> ')}`);
      trail.push(step.url);
      const url = new URL(step.url);
      const cookie = cookiesFor(url)
        .map(({ name, value }) => `${name}=${value}`)
        .join('; ');
      // A browser sends the Origin header with every POST.
      const origin = step.method === 'POST' ? { origin: url.origin } : {};
      const { response, body } = await exchange(
        step,
        { ...options.headers, ...(cookie === '' ? {} : { cookie }), ...origin },
        options.ca,
      );
      for (const header of response.headers['set-cookie'] ?? []) keep(url, header);
      const status = response.statusCode ?? 0;
      const location = response.headers.location;
      if (status < 300 || status > 399 || location === undefined)
        return {
          url: step.url,
          status,
          headers: response.headers,
          body,
          forms: readForms(body, step.url),
          trail,
          stopped: false,
        };
      const target = new URL(location, url).href;
      if (options.stopAt !== undefined && target.startsWith(options.stopAt))
        return { url: target, status, headers: {}, body: '', forms: [], trail, stopped: true };
      step =
        status === 307 || status === 308
          ? { ...step, url: target }
          : { method: 'GET', url: target };
    }
  };

  return {
    open: (url) => visit({ method: 'GET', url }),
    submit: (form, button, values = {}) => {
      const fields = new URLSearchParams({ ...form.fields, ...values });
      if (button?.name !== undefined) fields.set(button.name, button.value ?? '');
      if (form.method === 'POST')
        return visit({ method: 'POST', url: form.action, body: fields.toString() });
      const url = new URL(form.action);
      url.search = fields.toString();
      return visit({ method: 'GET', url: url.href });
    },
    cookies: (url) =>
      Object.fromEntries(cookiesFor(new URL(url)).map(({ name, value }) => [name, value])),
  };
}

function pathMatches(path: string, scope: string): boolean {
  return path === scope || path.startsWith(scope.endsWith('/') ? scope : `${scope}/`);
}

function parseCookie(url: URL, header: string): Cookie & { readonly expired: boolean } {
  const [pair = '', ...attributes] = header.split(';').map((part) => part.trim());
  const [name, value] = splitOnce(pair);
  const found = new Map(
    attributes.map((attribute) => [splitOnce(attribute)[0].toLowerCase(), splitOnce(attribute)[1]]),
  );
  const expires = found.get('expires');
  return {
    host: url.hostname,
    path: found.get('path') ?? url.pathname.slice(0, Math.max(1, url.pathname.lastIndexOf('/'))),
    secure: found.has('secure'),
    name,
    value,
    expired:
      found.get('max-age') === '0' || (expires !== undefined && Date.parse(expires) <= Date.now()),
  };
}

function splitOnce(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/**
 * Sends one request and reads the whole response; `ca` is PEM text of a trusted
 * authority.
 */
export function exchange(
  { method, url, body }: Step,
  headers: Record<string, string>,
  ca: string | undefined,
): Promise<{ response: IncomingMessage; body: string }> {
  const all = {
    ...headers,
    ...(body === undefined
      ? {}
      : {
          'content-type': 'application/x-www-form-urlencoded',
          'content-length': String(Buffer.byteLength(body)),
        }),
  };
  return new Promise((resolve, reject) => {
    const read = (response: IncomingMessage): void => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ response, body: Buffer.concat(chunks).toString('utf8') }));
    };
    const options = { method, headers: all, agent: false as const, timeout: PATIENCE * 1000 };
    const request = url.startsWith('https:')
      ? httpsRequest(url, { ...options, ...(ca === undefined ? {} : { ca }) }, read)
      : httpRequest(url, options, read);
    request.on('timeout', () =>
      request.destroy(new Error(`no answer from ${new URL(url).origin} within ${PATIENCE} s`)),
    );
    request.on('error', reject);
    request.end(body);
  });
}
