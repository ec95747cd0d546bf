// A mytoken server for tests: metadata, transfer codes and access tokens. It answers as the
// documentation (https://mytoken-docs.data.kit.edu/dev/api/latest/) and the server's source
// (github.com/oidc-mytoken/server, internal/endpoints/token and internal/utils/auth) say.
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a mytoken may do. Without an option, the server's default applies. */
export interface MytokenRights {
  readonly capabilities?: readonly string[];
  /** Replaced at each request for an access token. */
  readonly rotating?: boolean;
  /** A reuse of a replaced mytoken revokes the whole chain. */
  readonly autoRevoke?: boolean;
  readonly restrictions?: readonly Readonly<Record<string, unknown>>[];
  /** An opaque mytoken instead of a JWT. */
  readonly short?: boolean;
  readonly issuer?: string;
}

/** One request; secrets are named, not shown. */
export interface MytokenRequest {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly status: number;
}

/**
 * The faults: no answer, HTML, an internal error, a rate limit, an answer without an access
 * token, metadata that names another host, and a redirect.
 */
export type MytokenFault =
  'hang' | 'html' | 'internal' | 'busy' | 'no-token' | 'other-host' | 'redirect' | 'echo';

/** A running mytoken server. */
export interface FakeMytoken {
  readonly url: string;
  readonly requests: MytokenRequest[];
  /** Creates a mytoken of a user. */
  issue(user: string, rights?: MytokenRights): string;
  /** Creates a transfer code of a mytoken; it works once, until it `expires`. */
  transferCode(mytoken: string): string;
  expireCode(code: string): void;
  /** Revokes the chain of a mytoken. */
  revoke(mytoken: string): void;
  /** True for the newest mytoken of a chain that is not revoked. */
  isUsable(mytoken: string): boolean;
  setFault(fault?: MytokenFault): void;
  /** Sets the error of the OpenID provider, `code: description`. */
  setProviderError(text?: string): void;
  /** The lifetime of new access tokens in seconds. */
  setTokenTtl(seconds: number): void;
  close(): Promise<void>;
}

interface Chain {
  readonly user: string;
  readonly rights: MytokenRights;
  newest: string;
  revoked: boolean;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const refuse = (status: number, error: string, description?: string): Answer => ({
  status,
  body: { error, ...(description === undefined ? {} : { error_description: description }) },
});

/**
 * Starts a mytoken server on a port of 127.0.0.1 that the system chooses. `name`: the URL in
 * its metadata, of a proxy in front of it; by default its own.
 */
export async function startMytoken(name?: string): Promise<FakeMytoken> {
  const chains = new Map<string, Chain>();
  const codes = new Map<string, { readonly mytoken: string; expired: boolean }>();
  const requests: MytokenRequest[] = [];
  let fault: MytokenFault | undefined;
  let providerError: string | undefined;
  let ttl = 600;

  const newMytoken = (chain: Chain): string => {
    const { rights, user } = chain;
    const text =
      rights.short === true
        ? `CANARYmt${randomBytes(32).toString('hex')}`
        : mytokenJwt(url, user, rights);
    chain.newest = text;
    chains.set(text, chain);
    return text;
  };

  const accessToken = (body: Readonly<Record<string, unknown>>): Answer => {
    if (body['grant_type'] !== 'mytoken')
      return refuse(400, 'invalid_grant', 'Unsupported grant_type');
    const sent = textOf(body['mytoken']);
    const chain = chains.get(sent);
    if (!chain) return refuse(401, 'invalid_token', 'token not valid');
    if (chain.newest !== sent && chain.rights.autoRevoke === true) chain.revoked = true;
    if (chain.revoked || chain.newest !== sent) return refuse(401, 'invalid_token');
    const { capabilities = ['AT'], restrictions, issuer, rotating = false } = chain.rights;
    const now = Math.floor(Date.now() / 1000);
    const [rule] = (restrictions ?? [{}]).filter((each) => allows(each, body, now));
    if (!rule)
      return refuse(
        403,
        'usage_restricted',
        'The restrictions of this token does not allow this usage',
      );
    if (!capabilities.includes('AT'))
      return refuse(
        403,
        'insufficient_capabilities',
        'The provided token does not have the required capability for this operation',
      );
    if (body['oidc_issuer'] !== undefined && body['oidc_issuer'] !== (issuer ?? OP))
      return refuse(400, 'invalid_request', 'token not for specified issuer');
    if (providerError !== undefined) return refuse(400, 'oidc_error', providerError);
    const scope = body['scope'] ?? rule['scope'] ?? 'openid profile';
    const body200 = {
      access_token: `CANARYat${randomBytes(24).toString('hex')}`,
      token_type: 'Bearer',
      expires_in: ttl,
      scope,
      ...(body['audience'] === undefined ? {} : { audience: textOf(body['audience']).split(' ') }),
    };
    if (!rotating) return { status: 200, body: body200 };
    const update = { mytoken: newMytoken(chain), mytoken_type: 'token', capabilities };
    return { status: 200, body: { ...body200, token_update: update } };
  };

  const mytoken = (body: Readonly<Record<string, unknown>>): Answer => {
    if (body['grant_type'] !== 'transfer_code')
      return refuse(400, 'invalid_grant', 'Unsupported grant_type');
    const code = textOf(body['transfer_code']);
    const found = codes.get(code);
    if (!found) return refuse(401, 'invalid_token', 'Bad polling or transfer code');
    if (found.expired) return refuse(401, 'expired_token', 'polling or transfer code is expired');
    codes.delete(code);
    return { status: 200, body: { mytoken: found.mytoken, mytoken_type: 'token' } };
  };

  const metadata = (): Answer => {
    const issuer = name ?? url;
    const own = fault === 'other-host' ? 'https://evil.example' : issuer;
    return {
      status: 200,
      body: {
        issuer,
        access_token_endpoint: `${own}/api/v0/token/access`,
        mytoken_endpoint: `${own}/api/v0/token/my`,
        token_transfer_endpoint: `${own}/api/v0/token/transfer`,
        providers_supported: [{ issuer: OP, scopes_supported: ['openid', 'profile'] }],
      },
    };
  };

  const answerOf = (path: string, body: Readonly<Record<string, unknown>>): Answer => {
    if (path === '/.well-known/mytoken-configuration') return metadata();
    if (fault === 'html') return { status: 200, body: '<html>Welcome</html>' };
    if (fault === 'internal') return refuse(500, 'internal_server_error', 'database is locked');
    if (fault === 'busy') return { ...refuse(429, 'slow'), headers: { 'retry-after': '77' } };
    if (fault === 'redirect')
      return { status: 302, body: '', headers: { location: 'https://evil.example/' } };
    if (fault === 'echo')
      return refuse(401, 'invalid_token', `the token ${textOf(body['mytoken'])} is odd`);
    if (path === '/api/v0/token/my') return mytoken(body);
    if (path !== '/api/v0/token/access') return { status: 404, body: '404 page not found' };
    const answer = accessToken(body);
    if (fault !== 'no-token' || answer.status !== 200) return answer;
    const { access_token: _, ...rest } = answer.body as Record<string, unknown>;
    return { status: 200, body: rest };
  };

  const server = createServer((request, response) => {
    void serve(request, response);
  });
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '';
    const body = objectIn(await read(request));
    if (fault === 'hang') return;
    const answer = answerOf(path, body);
    requests.push({ path, body: named(body), status: answer.status });
    reply(response, answer);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    requests,
    issue: (user, rights = {}) => newMytoken({ user, rights, newest: '', revoked: false }),
    transferCode: (text) => {
      const code = `CANARY${randomBytes(4).toString('hex')}`;
      codes.set(code, { mytoken: text, expired: false });
      return code;
    },
    expireCode: (code) => {
      const found = codes.get(code);
      if (found) found.expired = true;
    },
    revoke: (text) => {
      const chain = chains.get(text);
      if (chain) chain.revoked = true;
    },
    isUsable: (text) => {
      const chain = chains.get(text);
      return chain !== undefined && !chain.revoked && chain.newest === text;
    },
    setFault: (name) => {
      fault = name;
    },
    setProviderError: (text) => {
      providerError = text;
    },
    setTokenTtl: (seconds) => {
      ttl = seconds;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The OpenID provider of mytokens without another one. */
export const OP = 'https://op.example.org';

/** A JWT with an invalid signature: only the server itself verifies mytokens. */
function mytokenJwt(iss: string, user: string, rights: MytokenRights): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    ver: '0.7',
    token_type: 'mytoken',
    iss,
    sub: user,
    jti: randomBytes(16).toString('hex'),
    oidc_sub: user,
    oidc_iss: rights.issuer ?? OP,
    capabilities: rights.capabilities ?? ['AT'],
    ...(rights.restrictions === undefined ? {} : { restrictions: rights.restrictions }),
    ...(rights.rotating === true
      ? { rotation: { on_AT: true, auto_revoke: rights.autoRevoke === true } }
      : {}),
  };
  const signature = `CANARY${randomBytes(32).toString('base64url')}`;
  return `${part({ alg: 'ES512', typ: 'MT+JWT' })}.${part(claims)}.${signature}`;
}

function allows(
  rule: Readonly<Record<string, unknown>>,
  body: Readonly<Record<string, unknown>>,
  now: number,
): boolean {
  const within = (wanted: unknown, allowed: unknown): boolean =>
    wanted === undefined ||
    allowed === undefined ||
    textOf(wanted)
      .split(' ')
      .every((each) => textOf(allowed).split(' ').includes(each));
  const { nbf, usages_AT: usages, schedule } = rule;
  return (
    within(body['scope'], rule['scope']) &&
    within(body['audience'], rule['audience']) &&
    !(typeof nbf === 'number' && nbf > now) &&
    usages !== 0 &&
    schedule === undefined
  );
}

/** The body without its secrets: they are named by their length only. */
function named(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(body).filter(([name]) => name !== 'mytoken' && name !== 'transfer_code'),
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function reply(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  const isText = typeof body === 'string';
  response.writeHead(status, {
    'content-type': isText ? 'text/html' : 'application/json',
    ...headers,
  });
  response.end(isText ? body : JSON.stringify(body));
}
