// WLCG bearer token discovery: the possible places of a token, in order; and the token
// inside a text, which is bare or JSON.
import { CodedError, isRecord, printableLine } from '@credmon/core/base';

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
  /**
   * Returns the names in a directory, none if it does not exist. Without it, the
   * directory of a job's credentials (`_CONDOR_CREDS`) is not searched.
   */
  readonly listDirectory?: ((path: string) => readonly string[]) | undefined;
  /** Also check HTCondor's `SCITOKENS_FILE`, before the other places. */
  readonly htcondor?: boolean;
}

/** How a text contains its token: alone, or as `access_token` of a JSON object. */
export type TokenForm = 'bare' | 'json';

/** A token, its source (a variable's name or a path) and the form of the source's text. */
export interface FoundToken {
  readonly token: string;
  readonly source: string;
  readonly form: TokenForm;
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
 * Returns the token in a text: the text itself, or `access_token` of the JSON object that
 * HTCondor's `.use` files contain. `undefined` if there is nothing but white space. A bare
 * token is not checked.
 * @throws CodedError `TOKEN_MALFORMED` for JSON without a token; it contains none of the
 * text
 */
export function tokenIn(text: string, source: string): FoundToken | undefined {
  const trimmed = trimToken(text);
  if (trimmed === '') return undefined;
  // No token has a brace: RFC 6750 section 2.1.
  if (!trimmed.startsWith('{')) return { token: trimmed, source, form: 'bare' };
  const token = accessTokenOf(trimmed);
  if (token !== '') return { token, source, form: 'json' };
  throw new CodedError(
    'TOKEN_MALFORMED',
    `invalid token in ${printableLine(source)}: neither a bare token nor a JSON object with a ` +
      'string "access_token"',
    { source },
  );
}

function accessTokenOf(json: string): string {
  try {
    const value: unknown = JSON.parse(json);
    const token = isRecord(value) ? value['access_token'] : undefined;
    return typeof token === 'string' ? trimToken(token) : '';
  } catch {
    return '';
  }
}

/**
 * Searches for a token: `BEARER_TOKEN`, the file named by `BEARER_TOKEN_FILE`,
 * `$XDG_RUNTIME_DIR/bt_u$EUID`, `/tmp/bt_u$EUID`, and the only `.use` file in
 * `$_CONDOR_CREDS`. The token may be bare or inside JSON. An empty place is skipped; an
 * invalid token ends the search.
 * @throws CodedError `TOKEN_MALFORMED`, `TOKEN_UNREADABLE`, `TOKEN_NOT_FOUND`
 * @see https://zenodo.org/records/3937438 (WLCG Bearer Token Discovery)
 */
export function discoverBearerToken(world: BearerWorld): FoundToken {
  for (const place of places(world)) {
    const found = foundIn(place);
    if (found !== undefined) return found;
  }
  const { place, several } = jobToken(world);
  const found = place === undefined ? undefined : foundIn(place);
  if (found !== undefined) return found;
  throw new CodedError(
    'TOKEN_NOT_FOUND',
    `no token found: ${several ?? 'set BEARER_TOKEN or BEARER_TOKEN_FILE, or pass a token'}`,
  );
}

function foundIn({ source, read }: Place): FoundToken | undefined {
  const found = tokenIn(read() ?? '', source);
  if (found === undefined || B64TOKEN.test(found.token)) return found;
  throw new CodedError('TOKEN_MALFORMED', `invalid token in ${printableLine(source)}`, {
    source,
  });
}

/**
 * The only token of a job's credential directory as a place of discovery, or the sentence
 * about several tokens. The directory is named by a variable, so its files may belong to
 * another user.
 */
function jobToken({ environment, readFile, listDirectory }: BearerWorld): {
  readonly place?: Place | undefined;
  readonly several?: string | undefined;
} {
  const directory = environment['_CONDOR_CREDS'];
  if (!directory || listDirectory === undefined) return {};
  const names = listDirectory(directory)
    .filter((name) => /^[^.].*\.use$/s.test(name))
    .toSorted();
  const [first, ...others] = names.map((name) => `${directory}/${name}`);
  if (first === undefined) return {};
  if (others.length === 0) return { place: { source: first, read: () => readFile(first, true) } };
  const list = names.join(', ');
  return {
    several: printableLine(`${directory} has several (${list}); pass one, for example @${first}`),
  };
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
