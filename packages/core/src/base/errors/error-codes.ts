// Every error code of every package with its one-line meaning; docs/errors.md says what to do about each.

/**
 * The catalogue of error codes. A code is part of the public interface: scripts match on it, so it is never renamed.
 */
export const ERROR_CODES = {
  CONFIG_INVALID: 'the configuration has mistakes; each is listed with file and line',
  CONFIG_SYNTAX: 'a configuration file breaks the grammar of the HTCondor configuration language',
  CONFIG_READ: 'a configuration source cannot be read',
  CONFIG_LIMIT: 'a configuration expands without end or beyond a bound',
  CRED_DIR_INVALID: 'the credential directory is missing or its permissions let others in',
  CRED_NAME_INVALID: 'a user, service or handle is not a name that CredD would use',
  CRED_FILE_INVALID:
    'a credential file is not what it should be: not JSON, too large, a link or not a regular file',
  CRED_FILE_IO: 'a credential file cannot be read or written',
  CRED_SUPERSEDED: 'a newer credential arrived while this one was being renewed; the newer one stays',
  DIRECTORY_LOCKED: 'another condor_credmon works on this credential directory',
  LOCK_LOST: 'the lock file or the credential directory was removed or replaced under a running daemon',
  KEY_FILE_INVALID: 'a key file is not exactly what CredD writes and is refused as a whole',
  KEY_FILE_MISSING: 'there is no key file of that name, or it has expired',
  ENDPOINT_REFUSED: 'an endpoint is not https, or is http without the loopback exception',
  ISSUER_UNREACHABLE: 'an issuer cannot be reached, does not answer in time or answers with a server error',
  ISSUER_BUSY: 'an issuer asks to slow down (429, or 503 with Retry-After)',
  ISSUER_ANSWER_INVALID: 'an issuer answered with something that is not a token response',
  ISSUER_MISMATCH: 'an answer comes from another issuer than the one that was asked',
  GRANT_REVOKED: 'the issuer no longer accepts this refresh token; the user must log in again',
  CLIENT_REFUSED:
    'the issuer refuses this client or this request; the administrator must mend the registration',
  SUBJECT_REFUSED:
    'a stored token cannot be exchanged: not of a configured issuer, forged, expired or no token',
  PLUGIN_REFUSED: 'a token program cannot be started, or others could change it',
  PLUGIN_FAILED: 'a token program took too long, failed, or gave an answer that is no token',
  MAP_UNREADABLE: 'a map file that decides who may have a token cannot be read',
  USER_REFUSED: 'the rules for locally signed tokens do not allow this user one',
  SCOPE_WIDENED: 'an issuer granted more than was asked for',
  SECRET_UNREADABLE: 'a client secret file cannot be read or others can read it',
  PROVIDER_REFUSED:
    "a token's name could be that of two providers, or has a handle where there are none: it is left alone",
  LOGIN_REFUSED: 'a login was refused or cancelled at the issuer',
  LOGIN_EXPIRED: 'a login took too long, was finished already, or belongs to another session',
  LOGIN_SUPERSEDED: 'a login was not stored, because a newer one of the same token is',
  LOGIN_WRONG_USER: 'the person who asks or signed in is not the local user that the request is for',
  REFRESH_TOKEN_MISSING:
    'a login brought no refresh token, and storing it would destroy one that is stored for other scopes',
  RETURN_URL_REFUSED: 'a provider would send the browser to an address that this web server does not serve',
  METRICS_UNSERVED: 'the metrics cannot be served at the configured address; tokens are renewed all the same',
  SESSION_STORE_DOWN: 'the web server cannot reach the place where its sessions are kept',
  SESSION_STORE_FULL: 'the web server has no room for another session, or for more of one',
  LOG_UNWRITABLE: 'the log file cannot be opened or written',
  TOKEN_MALFORMED: 'a token is not a compact JWS with JSON objects inside',
  TOKEN_BAD_ALGORITHM: 'a token is signed with an algorithm that is not allowed or does not fit the key',
  TOKEN_BAD_SIGNATURE: "a token's signature was not made by the issuer's key",
  TOKEN_UNKNOWN_ISSUER: 'a token comes from an issuer that is not trusted here',
  TOKEN_UNKNOWN_KEY: 'a token names a key that its issuer does not publish, or none where several are',
  TOKEN_BAD_CLAIM: 'a claim is missing or has the wrong type',
  TOKEN_BAD_PROFILE: 'a token follows no known profile, or not what its profile demands',
  TOKEN_BAD_SCOPE:
    'a scope could be misread: relative, traversing or encoded path, or characters out of place',
  TOKEN_EXPIRED: 'a token is past its expiry',
  TOKEN_NOT_YET_VALID: 'a token is dated in the future',
  TOKEN_WRONG_AUDIENCE: 'a token is meant for another service',
  TOKEN_DENIED: 'a valid token does not grant what was asked',
  TOKEN_NOT_FOUND: 'no token in any of the places of bearer token discovery',
  TOKEN_UNREADABLE: 'a token file cannot be read, is too large, belongs to someone else or holds no token',
  TOKEN_KEY_INVALID: 'a key is not a usable RSA or EC key, or its numbers are damaged',
  TOKEN_KEY_UNREADY: 'a key may not sign: it is not published long enough, or there is none',
  TOKEN_KEY_DIRECTORY: 'a key directory is missing, damaged, readable by others or in use',
  ISSUER_METADATA_INVALID: "an issuer's discovery document or key set is not what it should be",
  CLASSAD_SYNTAX: 'a text breaks the grammar of the ClassAd language',
  CLASSAD_LIMIT: 'a ClassAd is nested too deep, too long, or takes too many steps to evaluate',
  LOGIN_NEEDS_TERMINAL: 'a login must be shown to a person, and there is no terminal',
  PROGRAM_FAILED: 'a program that the storer calls is not installed, or has failed',
  USAGE: 'a command was called with wrong arguments',
} as const;

/** One of the catalogue's codes. */
export type ErrorCode = keyof typeof ERROR_CODES;
