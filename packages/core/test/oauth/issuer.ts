// A token endpoint for tests with given responses, a client registered at it, and secrets
// that must never be shown.
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { PATIENT_LIMITS } from '@credmon/test-fixtures/clocks/patience';
import { createSend, type Send } from '../../src/base/http/send.ts';
import { CodedError } from '../../src/base/errors/errors.ts';
import type { ClientRegistration } from '../../src/oauth/client.ts';
import { startServer, type LocalServer } from '../base/local-server.ts';

/**
 * These must never be in an error. Some are short or contain blanks, like some real ones.
 */
export const SECRETS = {
  refreshToken: 'CANARY-refresh/+=',
  code: 'CANARY-code',
  codeVerifier: 'CANARY-verifier-of-more-than-forty-three-characters',
  clientSecret: 'CANARY secret & 100%',
  answered: 'CANARY-answered',
} as const;

/** A whole response of the token endpoint; an object is sent as JSON. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** A running issuer with a client. */
export interface TestIssuer {
  readonly server: LocalServer;
  readonly send: Send;
  readonly registration: ClientRegistration;
  close(): Promise<void>;
}

/**
 * Starts an issuer that sends `reply` to every token request; `undefined` leaves the
 * request open for its time-out of a second.
 */
export async function startIssuer(
  reply: Reply | undefined,
  changes: Partial<ClientRegistration> = {},
): Promise<TestIssuer> {
  const server = await startServer((_, response) => {
    if (!reply) return;
    const { status = 200, headers = { 'Content-Type': 'application/json' }, body = '' } = reply;
    response.writeHead(status, headers);
    response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
  });
  const limits = reply ? PATIENT_LIMITS : { connectSeconds: 1, totalSeconds: 1 };
  const { send, close } = createSend({ ...limits, maxBodyBytes: 100_000 });
  return {
    server,
    send,
    registration: {
      provider: 'mytok',
      authorizationUrl: `${server.origin}/authorize`,
      tokenUrl: `${server.origin}/token`,
      clientId: 'client',
      clientSecret: SECRETS.clientSecret,
      authentication: 'post',
      allowLoopbackHttp: true,
      ...changes,
    },
    close: async () => {
      await close();
      await server.close();
    },
  };
}

/** The result of a promise: its value, or its CodedError. */
export async function outcomeOf<T>(attempt: Promise<T>): Promise<T | CodedError> {
  try {
    return await attempt;
  } catch (error) {
    if (error instanceof CodedError) return error;
    throw error;
  }
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A JWT, signed with ES256 unless `alg` is given. */
export function jwt(claims: Readonly<Record<string, unknown>>, alg = 'ES256'): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part({ alg, typ: 'JWT' })}.${part(claims)}`;
  if (alg === 'none') return `${input}.`;
  if (alg === 'HS256')
    return `${input}.${createHmac('sha256', SECRETS.clientSecret).update(input).digest('base64url')}`;
  const signature = sign('sha256', Buffer.from(input), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return `${input}.${signature.toString('base64url')}`;
}
