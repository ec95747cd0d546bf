// The request of condor_credmon to a token program: for whom, for what, and with which
// mytoken. Pure.
import { CodedError, isRecord } from '@credmon/core/base';
import { splitScopes } from '@credmon/core/credential';

/** A mytoken, or a transfer code, which is exchanged for one once. */
export interface Login {
  readonly kind: 'mytoken' | 'transfer_code';
  readonly text: string;
}

/** The parsed request. `login` is what the user has stored, if it can be one. */
export interface ProgramRequest {
  readonly user: string;
  readonly service: string;
  readonly handle: string;
  readonly scopes: readonly string[];
  readonly audience: readonly string[];
  readonly login: Login | undefined;
}

/**
 * Parses a request.
 * @throws CodedError `USAGE` for anything but version 1 of the protocol
 * @see docs/exec-provider.md
 */
export function parseProgramRequest(text: string): ProgramRequest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The parser's message would quote a secret.
    throw noRequest('it is not JSON');
  }
  if (!isRecord(json) || json['version'] !== 1) throw noRequest('it has no "version" 1');
  const { top } = json;
  return {
    user: textOf(json, 'user'),
    service: textOf(json, 'service'),
    handle: textOf(json, 'handle'),
    scopes: splitScopes(textOf(json, 'scopes')),
    audience: splitScopes(textOf(json, 'audience')),
    login: isRecord(top)
      ? storedLogin(top)
      : loginOf('mytoken', typeof top === 'string' ? top.trim() : ''),
  };
}

/**
 * Returns what the user has stored: the mytoken that the daemon has stored after a rotation
 * counts first, and a transfer code last, because it works once.
 */
function storedLogin(top: Readonly<Record<string, unknown>>): Login | undefined {
  return (
    loginOf('mytoken', textOf(top, 'refresh_token')) ??
    loginOf('mytoken', textOf(top, 'mytoken')) ??
    loginOf('transfer_code', textOf(top, 'transfer_code'))
  );
}

/** Returns the login in a text; `undefined` for a text that no server gave. */
export function loginOf(kind: Login['kind'], text: string): Login | undefined {
  return /^[!-~]{1,16384}$/.test(text) ? { kind, text } : undefined;
}

function textOf(json: Readonly<Record<string, unknown>>, name: string): string {
  const value = json[name];
  return typeof value === 'string' ? value : '';
}

function noRequest(why: string): CodedError {
  return new CodedError(
    'USAGE',
    `invalid request on standard input: ${why}; condor_credmon runs this program, see docs/mytoken.md`,
  );
}
