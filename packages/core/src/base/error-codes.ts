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
  SCOPE_WIDENED: 'an issuer granted more than was asked for',
  SECRET_UNREADABLE: 'a client secret file cannot be read or others can read it',
  LOGIN_REFUSED: 'a login was refused or cancelled at the issuer',
  LOGIN_EXPIRED: 'a login took too long, was finished already, or belongs to another session',
  LOGIN_WRONG_USER: 'the person who asks or signed in is not the local user that the request is for',
  RETURN_URL_REFUSED: 'a provider would send the browser to an address that this web server does not serve',
  LOG_UNWRITABLE: 'the log file cannot be opened or written',
  USAGE: 'a command was called with wrong arguments',
} as const;

/** One of the catalogue's codes. */
export type ErrorCode = keyof typeof ERROR_CODES;
