// The faults of a token endpoint: each by name, and its effect on a request.

/** Faults before the issuer: the request does not reach it. */
export type EarlyFault =
  | 'reset'
  | 'hang'
  | 'server-error'
  | 'unavailable'
  | 'too-many'
  | 'html'
  | 'empty'
  | 'not-an-object'
  | 'no-access-token'
  | 'huge'
  | 'invalid-grant'
  | 'invalid-client'
  | 'redirect'
  | 'echo'
  | 'echo-error';

/**
 * Faults after the issuer: its response is damaged. `held` delays the response until the
 * fault changes.
 */
export type LateFault =
  | 'slow'
  | 'held'
  | 'answer-lost'
  | 'no-refresh-token'
  | 'no-expires-in'
  | 'expires-in-text'
  | 'wider-scope'
  | 'narrower-scope';

/** `refused` closes the port itself. */
export type FaultName = EarlyFault | LateFault | 'refused';

/** How a fault behaves. */
export interface FaultOptions {
  /** `Retry-After` of `unavailable` and `too-many`, seconds. */
  readonly retryAfter?: number;
  /** The delay of `slow`, seconds. */
  readonly seconds?: number;
  /** The number of requests after which the fault ends by itself. */
  readonly times?: number;
}

/** A response instead of the issuer's. */
export interface FaultyAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const JSON_TYPE = { 'content-type': 'application/json' };

/**
 * Returns the response of an early fault to a request with this body; `undefined` if it
 * sends none.
 */
export function faultyAnswer(
  fault: EarlyFault,
  options: FaultOptions,
  body: string,
): FaultyAnswer | undefined {
  const retryAfter = { 'retry-after': String(options.retryAfter ?? 30) };
  switch (fault) {
    case 'reset':
    case 'hang':
      return undefined;
    case 'server-error':
      return {
        status: 500,
        headers: { 'content-type': 'text/plain' },
        body: 'Internal Server Error',
      };
    case 'unavailable':
      return { status: 503, headers: retryAfter, body: '' };
    case 'too-many':
      return { status: 429, headers: retryAfter, body: '' };
    case 'html':
      return {
        status: 200,
        headers: { 'content-type': 'text/html' },
        body: '<html><body>Welcome</body></html>',
      };
    case 'empty':
      return { status: 200, headers: JSON_TYPE, body: '' };
    case 'not-an-object':
      return { status: 200, headers: JSON_TYPE, body: '["access_token"]' };
    case 'no-access-token':
      return { status: 200, headers: JSON_TYPE, body: '{"token_type":"Bearer","expires_in":3600}' };
    case 'huge':
      return {
        status: 200,
        headers: JSON_TYPE,
        body: `{"access_token":"${'x'.repeat(3 * 1024 * 1024)}"}`,
      };
    case 'invalid-grant':
      return {
        status: 400,
        headers: JSON_TYPE,
        body: '{"error":"invalid_grant","error_description":"revoked"}',
      };
    case 'invalid-client':
      return { status: 401, headers: JSON_TYPE, body: '{"error":"invalid_client"}' };
    case 'echo':
      return {
        status: 500,
        headers: { 'content-type': 'text/plain' },
        body: `cannot handle ${body}`,
      };
    case 'echo-error': {
      const error_description = `cannot handle ${decodeURIComponent(body)}`;
      return {
        status: 400,
        headers: JSON_TYPE,
        body: JSON.stringify({ error: 'invalid_request', error_description }),
      };
    }
    case 'redirect':
      return { status: 307, headers: { location: 'http://127.0.0.1:9/token' }, body: '' };
  }
}

/** Returns the JSON response of the issuer after a late fault. */
export function spoil(fault: LateFault, answer: Record<string, unknown>): Record<string, unknown> {
  const { refresh_token, expires_in, ...rest } = answer;
  switch (fault) {
    case 'slow':
    case 'held':
    case 'answer-lost':
      return answer;
    case 'no-refresh-token':
      return { ...rest, ...(expires_in === undefined ? {} : { expires_in }) };
    case 'no-expires-in':
      return { ...rest, ...(refresh_token === undefined ? {} : { refresh_token }) };
    case 'expires-in-text':
      return { ...answer, expires_in: String(expires_in) };
    case 'wider-scope':
      return {
        ...answer,
        scope: `${typeof answer['scope'] === 'string' ? answer['scope'] : ''} admin`,
      };
    case 'narrower-scope':
      return { ...answer, scope: String(answer['scope']).split(' ').slice(1).join(' ') };
  }
}

const LATE: readonly string[] = [
  'slow',
  'held',
  'answer-lost',
  'no-refresh-token',
  'no-expires-in',
  'expires-in-text',
  'wider-scope',
  'narrower-scope',
];

/** True for faults after the issuer. */
export function isLate(fault: EarlyFault | LateFault): fault is LateFault {
  return LATE.includes(fault);
}
