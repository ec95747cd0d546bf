// WLCG bearer token discovery: the places where a token may lie, looked through in order.
import { CodedError } from '@credmon/core/base';

/**
 * What discovery may look at. `readFile` returns the text, or `undefined` when there is
 * no such file; `named` tells a file that a variable names from one whose name anybody
 * could guess and fill first.
 */
export interface BearerWorld {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The effective user id, part of the file names. */
  readonly userId: number;
  /**
   * @throws CodedError `TOKEN_UNREADABLE` when the file is there but must not be read.
   */
  readonly readFile: (path: string, named: boolean) => string | undefined;
  /** Also look at HTCondor's `SCITOKENS_FILE`, first of all. */
  readonly htcondor?: boolean;
}

/** A token and the place where it was found: a variable's name or a path. */
export interface FoundToken {
  readonly token: string;
  readonly source: string;
}

/** The white space of C99's isspace. */
const BLANK = /^[ \f\n\r\t\v]+|[ \f\n\r\t\v]+$/g;
/** RFC 6750 section 2.1: b64token. */
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/** Drops white space around a token, as C99 knows it and no other. */
export function trimToken(text: string): string {
  return text.replace(BLANK, '');
}

/**
 * Looks for a token: `BEARER_TOKEN`, the file that `BEARER_TOKEN_FILE` names,
 * `$XDG_RUNTIME_DIR/bt_u$EUID`, `/tmp/bt_u$EUID`. An empty place leads to the next one,
 * an invalid one ends the search.
 * @throws CodedError `TOKEN_MALFORMED`, `TOKEN_UNREADABLE`, `TOKEN_NOT_FOUND`.
 * @see https://zenodo.org/records/3937438 (WLCG Bearer Token Discovery)
 */
export function discoverBearerToken(world: BearerWorld): FoundToken {
  for (const { source, read } of places(world)) {
    const token = trimToken(read() ?? '');
    if (token === '') continue;
    if (B64TOKEN.test(token)) return { token, source };
    throw new CodedError('TOKEN_MALFORMED', `${source} holds something that is not a token`, {
      source,
    });
  }
  throw new CodedError(
    'TOKEN_NOT_FOUND',
    'no token: set BEARER_TOKEN or BEARER_TOKEN_FILE, or name one',
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
