// A server on loopback that answers as the issuer of a provider profile does.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { ISSUER_KEY } from '../issuer/signed-id-token.ts';
import { listen, stop } from '../issuer/listener.ts';
import type { Endpoints, IssuerAnswers } from './answers.ts';
import {
  IssuerEndpoints,
  type Answer,
  type Deviation,
  type RegisteredClient,
} from './token-endpoint.ts';

/** A request as it arrived, under the name that the client used. */
export interface SeenRequest {
  readonly method: string;
  /** The URL without the query. */
  readonly url: string;
  /** The parameters of the query or the form. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly authorization: string | undefined;
}

/** A running issuer. */
export interface ProfileIssuer {
  /** The address of the server. */
  readonly url: string;
  /** The identifier of the issuer, if it has metadata. */
  readonly issuer: string | undefined;
  /** The endpoints under the names that clients use. */
  readonly endpoints: Endpoints;
  readonly requests: SeenRequest[];
  /** Access tokens that are valid. */
  readonly live: ReadonlySet<string>;
  /** Changes the answers from now on. */
  deviate(deviation: Deviation): void;
  /** The user withdraws the consent: refresh tokens are dead. */
  endGrants(): void;
  /** True if requests to this URL are for this issuer. */
  serves(url: string): boolean;
  close(): Promise<void>;
}

/**
 * Options of an issuer. `names`: `real` answers with the issuer's real names, for clients
 * whose requests are redirected with {@link ORIGIN_HEADER}; `own` with the names of the
 * server. `now` in epoch seconds.
 */
export interface ProfileIssuerOptions {
  readonly client: RegisteredClient;
  readonly names?: 'real' | 'own';
  readonly now?: () => number;
}

/** Names the origin to which a redirected request was to go. */
export const ORIGIN_HEADER = 'x-issuer-origin';

/** Starts the issuer on 127.0.0.1, on a port that the system chooses. */
export async function startProfileIssuer(
  answers: IssuerAnswers,
  { client, names = 'own', now = () => Date.now() / 1000 }: ProfileIssuerOptions,
): Promise<ProfileIssuer> {
  const server = createServer();
  const url = `http://127.0.0.1:${await listen(server, 0)}`;
  const named = (real: string): string => (names === 'real' ? real : ownName(real, url));
  const endpoints = mapped(answers.endpoints, named);
  const issuer = answers.issuer === undefined ? undefined : named(answers.issuer);
  const identity = namedIn(answers.claims?.['iss'] ?? answers.issuer, named) ?? url;
  const at = new IssuerEndpoints(
    { ...answers, claims: { ...answers.claims, iss: identity } },
    client,
    identity,
  );
  const requests: SeenRequest[] = [];
  const origins = new Set(
    [...Object.values(endpoints), issuer].flatMap((one) =>
      one === undefined ? [] : [new URL(one).origin],
    ),
  );
  const metadata = (): Answer =>
    issuer === undefined
      ? NOT_FOUND
      : { status: 200, body: documentOf(answers, issuer, endpoints, named) };

  const answer = ({ url: to, parameters, authorization }: SeenRequest): Answer => {
    const form = new URLSearchParams(parameters);
    const seconds = Math.floor(now());
    if (to === endpoints.authorize) return at.authorize(form);
    if (to === endpoints.token) return at.token(form, authorization, seconds);
    if (to === endpoints.jwks) return { status: 200, body: { keys: [ISSUER_KEY.jwk] } };
    if (to === endpoints.revoke) return at.revoke(form);
    if (to === endpoints.device) return at.device(form, `${new URL(to).origin}/device`);
    const isMetadata = issuer !== undefined && metadataNames(issuer).includes(to);
    return isMetadata ? metadata() : NOT_FOUND;
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request);
    const origin = request.headers[ORIGIN_HEADER];
    const target = new URL(request.url ?? '/', typeof origin === 'string' ? origin : url);
    const form = request.method === 'POST' ? new URLSearchParams(body) : target.searchParams;
    const seen = {
      method: request.method ?? '',
      url: target.origin + target.pathname,
      parameters: Object.fromEntries(form),
      authorization: request.headers.authorization,
    };
    requests.push(seen);
    const asksForJson = request.headers.accept?.includes('application/json') === true;
    reply(response, answer(seen), answers.formByDefault !== true || asksForJson);
  };
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void serve(request, response);
  });

  return {
    url,
    issuer,
    endpoints,
    requests,
    live: at.live,
    deviate: (deviation) => {
      at.deviation = deviation;
    },
    endGrants: () => at.endGrants(),
    serves: (one) => origins.has(new URL(one).origin),
    close: () => stop(server),
  };
}

const NOT_FOUND: Answer = { status: 404, body: {} };

/** The name of a URL at our own server: the path is the issuer's. */
function ownName(real: string, url: string): string {
  const { pathname } = new URL(real);
  return pathname === '/' && !real.endsWith('/') ? url : `${url}${pathname}`;
}

function namedIn(value: unknown, named: (real: string) => string): string | undefined {
  return typeof value === 'string' ? named(value) : undefined;
}

function mapped(endpoints: Endpoints, named: (real: string) => string): Endpoints {
  return Object.fromEntries(
    Object.entries(endpoints).map(([name, real]: [string, string]) => [name, named(real)]),
  ) as unknown as Endpoints;
}

/** @see OpenID Connect Discovery 1.0, section 3 */
function documentOf(
  { metadata = {} }: IssuerAnswers,
  issuer: string,
  { authorize, token, jwks, revoke, device }: Endpoints,
  named: (real: string) => string,
): Record<string, unknown> {
  const { issuer: template, ...others } = metadata;
  return {
    issuer:
      namedIn(template, (real) => named(real).replace('%7Btenantid%7D', '{tenantid}')) ?? issuer,
    authorization_endpoint: authorize,
    token_endpoint: token,
    jwks_uri: jwks,
    revocation_endpoint: revoke,
    device_authorization_endpoint: device,
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    ...others,
  };
}

/** @see OpenID Connect Discovery 1.0, section 4; RFC 8414, section 3 */
function metadataNames(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ];
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function reply(
  response: ServerResponse,
  { status, body, location, sent = {} }: Answer,
  json: boolean,
): void {
  const isForm = sent.form ?? !json;
  const type = isForm ? 'application/x-www-form-urlencoded' : 'application/json;charset=UTF-8';
  if (location !== undefined) response.setHeader('location', location);
  response.setHeader('content-type', sent.contentType ?? type);
  response.setHeader('cache-control', 'no-store');
  response.statusCode = sent.status ?? status;
  const form = (): string => new URLSearchParams(body as Record<string, string>).toString();
  const text = body === undefined ? '' : isForm ? form() : JSON.stringify(body);
  response.end(`${sent.before ?? ''}${text}`);
}
