// WLCG bearer token discovery: the possible places of a token, in order.
import { CodedError } from '@credmon/core/base';

/**
 * The environment of discovery. `readFile` returns the text, or `undefined` if there is
 * no such file; `named` is true for a file named by a variable, and false for a
 * predictable name, which another user could create first.
 */
export interface BearerWorld {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The effective user id, part of the file names. */
  readonly userId: number;
  /** @throws CodedError `TOKEN_UNREADABLE` if the file exists but must not be read */
  readonly readFile: (path: string, named: boolean) => string | undefined;
  /** Also check HTCondor's `SCITOKENS_FILE`, before the other places. */
  readonly htcondor?: boolean;
}

/** A token and its source: a variable's name or a path. */
export interface FoundToken {
  readonly token: string;
  readonly source: string;
}

/** The white space of C99's isspace. */
const BLANK = /^[ \f\n\r\t\v]+|[ \f\n\r\t\v]+$/g;
/** RFC 6750 section 2.1: b64token. */
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/** Removes C99's white space around a token, and no other. */
export function trimToken(text: string): string {
  return text.replace(BLANK, '');
}

/**
 * Searches for a token: `BEARER_TOKEN`, the file named by `BEARER_TOKEN_FILE`,
 * `$XDG_RUNTIME_DIR/bt_u$EUID`, `/tmp/bt_u$EUID`. An empty place is skipped; an invalid
 * token ends the search.
 * @throws CodedError `TOKEN_MALFORMED`, `TOKEN_UNREADABLE`, `TOKEN_NOT_FOUND`
 * @see https://zenodo.org/records/3937438 (WLCG Bearer Token Discovery)
 */
export function discoverBearerToken(world: BearerWorld): FoundToken {
  for (const { source, read } of places(world)) {
    const token = trimToken(read() ?? '');
    if (token === '') continue;
    if (B64TOKEN.test(token)) return { token, source };
    throw new CodedError('TOKEN_MALFORMED', `invalid token in ${source}`, {
      source,
    });
  }
  throw new CodedError(
    'TOKEN_NOT_FOUND',
    'no token found: set BEARER_TOKEN or BEARER_TOKEN_FILE, or pass a token',
  );
}

interface Place {
  readonly source: string;
  readonly read: () => string | undefined;
}

function places({ environment, userId, readFile, htcondor = false }: BearerWorld): Place[] {
  const { BEARER_TOKEN, BEARER_TOKEN_FILE, XDG_RUNTIME_DIR, SCITOKENS_FILE } = environment;
  const file = (path: string, named: boolean): Place => ({
    source: path,
    read: () => readFile(path, named),
  });
  return [
    ...(htcondor && SCITOKENS_FILE ? [firstLineOf(file(SCITOKENS_FILE, true))] : []),
    { source: 'BEARER_TOKEN', read: () => BEARER_TOKEN },
    ...(BEARER_TOKEN_FILE ? [file(BEARER_TOKEN_FILE, true)] : []),
    ...(XDG_RUNTIME_DIR ? [file(`${XDG_RUNTIME_DIR}/bt_u${userId}`, false)] : []),
    file(`/tmp/bt_u${userId}`, false),
  ];
}

/** HTCondor reads the first line that is not a comment. */
function firstLineOf(place: Place): Place {
  return {
    ...place,
    read: () =>
      place
        .read()
        ?.split('\n')
        .find((line) => line.trim() !== '' && !line.startsWith('#')),
  };
}
