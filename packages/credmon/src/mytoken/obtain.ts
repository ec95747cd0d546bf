// Gets an access token from a mytoken server: metadata, transfer code, access token. A new
// mytoken is kept before anything else is done.
import {
  CodedError,
  bodyText,
  isCoded,
  messageOf,
  secureEndpoint,
  type Send,
} from '@credmon/core/base';
import { parseObject } from '@credmon/core/credential';
import { harmless } from '@credmon/core/oauth';
import type { MytokenOptions } from './arguments.ts';
import {
  judgeAccessToken,
  judgeTransferCode,
  type InvalidAnswer,
  type Question,
  type Refusal,
  type Login,
  type ProgramRequest,
} from './protocol.ts';

/**
 * The ports. `ask` has a short time limit for metadata, `send` a longer one for tokens;
 * `keep` stores a new mytoken durably, and throws if it cannot.
 */
export interface MytokenPorts {
  readonly ask: Send;
  readonly send: Send;
  readonly now: () => number;
  readonly keep: (mytoken: string) => void;
}

/** What the program prints, its exit code, and a line for standard error. */
export interface ProgramOutput {
  readonly json: Readonly<Record<string, unknown>> | undefined;
  readonly exit: 0 | 1;
  readonly message?: string | undefined;
}

/** What a program obtains with: its server and the issuer of the mytoken. */
type Server = Pick<MytokenOptions, 'server' | 'issuer' | 'allowLoopbackHttp'>;

interface Endpoints {
  readonly accessToken: string;
  readonly mytoken: string;
}

/** Obtains an access token. Never throws for an answer or a silent server. */
export async function obtainToken(
  request: Pick<ProgramRequest, 'scopes' | 'audience'>,
  login: Login,
  server: Server,
  ports: MytokenPorts,
): Promise<ProgramOutput> {
  try {
    const endpoints = await findEndpoints(server, ports.ask);
    const own =
      login.kind === 'mytoken'
        ? { kind: 'mytoken' as const, mytoken: login.text }
        : await redeem(endpoints, login.text, ports);
    if (own.kind !== 'mytoken') return rejectionOutput(own);
    const body = {
      grant_type: 'mytoken',
      mytoken: own.mytoken,
      ...(server.issuer === undefined ? {} : { oidc_issuer: server.issuer }),
      ...(request.scopes.length === 0 ? {} : { scope: request.scopes.join(' ') }),
      ...(request.audience.length === 0 ? {} : { audience: request.audience.join(' ') }),
      comment: 'HTCondor job',
    };
    const response = await post(endpoints.accessToken, body, ports.send);
    const { result, rotated } = judgeAccessToken(response, question(own.mytoken, ports));
    if (rotated !== undefined) ports.keep(rotated);
    return result.kind === 'token' ? { json: result.members, exit: 0 } : rejectionOutput(result);
  } catch (error) {
    return failureOutput(error);
  }
}

/**
 * Exchanges a transfer code for its mytoken, which is kept. The output has no secret.
 */
export async function redeemCode(
  code: string,
  server: Server,
  ports: MytokenPorts,
): Promise<ProgramOutput> {
  try {
    const own = await redeem(await findEndpoints(server, ports.ask), code, ports);
    if (own.kind === 'mytoken') return { json: undefined, exit: 0 };
    const message = own.kind === 'refused' ? own.description : own.error.message;
    return { json: undefined, exit: 1, message };
  } catch (error) {
    return { json: undefined, exit: 1, message: messageOf(error) };
  }
}

async function redeem(
  endpoints: Endpoints,
  code: string,
  ports: MytokenPorts,
): Promise<ReturnType<typeof judgeTransferCode>> {
  const body = { grant_type: 'transfer_code', transfer_code: code };
  const response = await post(endpoints.mytoken, body, ports.send);
  const own = judgeTransferCode(response, question(code, ports));
  // The code is spent now: the mytoken must be stored before its first use.
  if (own.kind === 'mytoken') ports.keep(own.mytoken);
  return own;
}

function question(sent: string, { now }: MytokenPorts): Question {
  return { sent, now: now() };
}

function post(url: string, body: Readonly<Record<string, string>>, send: Send): ReturnType<Send> {
  return send({
    method: 'POST',
    url,
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/**
 * Reads the server's metadata. Secrets go to its own origin only.
 * @throws CodedError `ISSUER_UNREACHABLE`, `ISSUER_METADATA_INVALID`, `ENDPOINT_REFUSED`
 * @see https://mytoken-docs.data.kit.edu/dev/api/latest/endpoints/config
 */
async function findEndpoints({ server, allowLoopbackHttp }: Server, ask: Send): Promise<Endpoints> {
  const url = `${server}/.well-known/mytoken-configuration`;
  const { status, body } = await ask({
    method: 'GET',
    url,
    headers: { accept: 'application/json' },
  });
  const code = status >= 500 || status === 429 ? 'ISSUER_UNREACHABLE' : 'ISSUER_METADATA_INVALID';
  if (status !== 200)
    throw new CodedError(code, `${server} answered HTTP status ${status} for its metadata`);
  const metadata = parseObject(bodyText(body));
  const endpoint = (name: string): string => {
    const text = metadata.ok ? metadata.value[name] : undefined;
    if (typeof text !== 'string')
      throw new CodedError(
        'ISSUER_METADATA_INVALID',
        `${server} is not a mytoken server: no ${name} in its metadata`,
      );
    const found = secureEndpoint(text, name, allowLoopbackHttp);
    if (found.origin === new URL(server).origin) return found.href;
    throw new CodedError('ENDPOINT_REFUSED', `${name} of ${server} is on another host`);
  };
  return { accessToken: endpoint('access_token_endpoint'), mytoken: endpoint('mytoken_endpoint') };
}

function rejectionOutput(rejection: Refusal | InvalidAnswer): ProgramOutput {
  return rejection.kind === 'refused'
    ? refusalOutput(rejection)
    : { json: undefined, exit: 1, message: rejection.error.message };
}

function refusalOutput({ error, description, retryAfter }: Refusal): ProgramOutput {
  const wait = retryAfter === undefined ? {} : { retry_after: retryAfter };
  return { json: { error, error_description: description, ...wait }, exit: 1 };
}

/** A silent server is retried; everything else needs the administrator. */
function failureOutput(error: unknown): ProgramOutput {
  const message = messageOf(error);
  if (isCoded(error, 'ISSUER_UNREACHABLE')) return unavailable(message);
  return { json: undefined, exit: 1, message };
}

/** Returns the output for something that passes by itself. */
export function unavailable(message: string): ProgramOutput {
  return refusalOutput({
    kind: 'refused',
    error: 'temporarily_unavailable',
    description: harmless(message),
  });
}

/** Returns the output for a user who has stored no mytoken. */
export function noLogin(service: string): ProgramOutput {
  return refusalOutput({
    kind: 'refused',
    error: 'invalid_grant',
    description: `no mytoken or transfer code in the credential of ${service}`,
  });
}

/**
 * Returns the output for a mytoken from a file. The daemon does not see when the file
 * changes, so it must try again after a rejection.
 */
export function ofFile(output: ProgramOutput): ProgramOutput {
  const { json } = output;
  if (json?.['error'] !== 'invalid_grant') return output;
  const message = `${String(json['error_description'])}; store another one in --mytoken-file`;
  return { json: undefined, exit: 1, message };
}

/**
 * Adds a kept mytoken to an output, so that the daemon stores it in `.top`. The daemon saves
 * no refresh token from an error: the next call will tell it.
 * @see docs/exec-provider.md
 */
export function withKept(output: ProgramOutput, kept: string | undefined): ProgramOutput {
  if (kept === undefined) return output;
  if (output.exit === 0) return { ...output, json: { ...output.json, refresh_token: kept } };
  const { json, message } = output;
  const description = json?.['error_description'];
  const reason = message ?? (typeof description === 'string' ? description : 'failed');
  return { json: { refresh_token: kept }, exit: 1, message: `new mytoken stored; ${reason}` };
}
