// Generators: users and their tokens, by kind of provider and by state.
import { mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How a token is renewed. */
export type Kind = 'oauth' | 'local' | 'client';

/**
 * `fresh` needs nothing for hours, `due` must be renewed now, `new` has no `.use` yet and
 * `broken` has files that are cut off.
 */
export type State = 'fresh' | 'due' | 'new' | 'broken';

/** What to generate. Tokens are spread evenly over the users. */
export interface Population {
  readonly users: number;
  readonly tokens: number;
  readonly kind?: Kind;
  readonly state?: State | ((index: number) => State);
  readonly tokenUrl?: string;
  /** In front of the user's names. */
  readonly prefix?: string;
}

/** The provider's name of each kind. */
export const PROVIDERS: Readonly<Record<Kind, string>> = {
  oauth: 'mytok',
  local: 'scitokens',
  client: 'service',
};

/** A token of a population: its directory and the name of its files without the ending. */
export interface TokenFiles {
  readonly index: number;
  readonly directory: string;
  readonly stem: string;
}

/** The tokens of a population below `credentials`; nothing is written. */
export function* tokensOf(credentials: string, population: Population): Generator<TokenFiles> {
  const { users, tokens, kind = 'oauth', prefix = 'u' } = population;
  for (let user = 0; user < users; user += 1)
    for (let index = user; index < tokens; index += users) {
      const handle = index < users ? '' : `_h${Math.floor(index / users)}`;
      const directory = join(credentials, `${prefix}${user}`);
      yield { index, directory, stem: `${directory}/${PROVIDERS[kind]}${handle}` };
    }
}

/** Writes the users and tokens of a population. */
export function fill(credentials: string, population: Population): void {
  let last = '';
  for (const { index, directory, stem } of tokensOf(credentials, population)) {
    if (directory !== last) mkdirSync(directory, { recursive: true, mode: 0o700 });
    last = directory;
    writeToken(stem, index, population, false);
  }
}

/**
 * Writes the files of one token. `replace`: by renaming, as CredD and the portal do; a
 * daemon may look only at directories that have changed.
 */
export function writeToken(
  stem: string,
  index: number,
  population: Population,
  replace = true,
): void {
  const { kind = 'oauth', state = 'fresh', tokenUrl = 'https://issuer.example/token' } = population;
  const now = typeof state === 'string' ? state : state(index);
  const write = (ending: string, text: string): void => {
    const path = `${stem}.${ending}`;
    const written = replace ? `${path}.new` : path;
    const content = now === 'broken' ? text.slice(0, text.length / 2) : text;
    writeFileSync(written, content, { mode: 0o600 });
    if (replace) renameSync(written, path);
  };
  write(
    'top',
    kind === 'oauth' ? JSON.stringify({ refresh_token: refreshToken(stem, index, 0) }) : '{}',
  );
  if (kind === 'oauth')
    write(
      'meta',
      JSON.stringify({
        client_id: 'bench',
        client_secret: 'client-secret',
        token_url: tokenUrl,
        use_refresh_token: true,
      }),
    );
  if (now === 'new') return;
  // A due token ends within a second, because the Python program counts from the change of
  // the file, which nobody can set.
  const lifetime = now === 'due' ? 1 : 86_400;
  const issued = Math.floor(Date.now() / 1000) - (now === 'due' ? 2 : 0);
  write(
    'use',
    JSON.stringify({
      access_token: `at-${index}-0-${'x'.repeat(200)}`,
      token_type: 'Bearer',
      expires_in: lifetime,
      issued_at: issued,
      expires_at: issued + lifetime,
    }),
  );
  // A .top that is newer than its .use would be a new login.
  utimesSync(`${stem}.top`, issued, issued);
}

/** The first refresh token; the issuer counts the generations. */
function refreshToken(stem: string, index: number, generation: number): string {
  const user = stem.split('/').at(-2) ?? '';
  return `rt-${user}.${index}-${generation}`;
}
