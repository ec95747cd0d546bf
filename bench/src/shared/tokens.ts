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

/** Tokens that are renewed or signed before the measurement, by code that runs the first time. */
export const WARM_UP = 300;

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
    writeToken(stem, index, population);
  }
}

/** Writes the files of one token. */
export function writeToken(stem: string, index: number, population: Population): void {
  const { kind = 'oauth', state = 'fresh', tokenUrl = 'https://issuer.example/token' } = population;
  const now = typeof state === 'string' ? state : state(index);
  const write = (ending: string, text: string): void => {
    const content = now === 'broken' ? text.slice(0, text.length / 2) : text;
    writeFileSync(`${stem}.${ending}`, content, { mode: 0o600 });
  };
  write('top', kind === 'oauth' ? JSON.stringify({ refresh_token: refreshToken(stem) }) : '{}');
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
  const { text, issued } = accessToken(now === 'due');
  write('use', text);
  // A .top that is newer than its .use would be a new login. The clock of files is some
  // milliseconds late.
  utimesSync(`${stem}.top`, issued - 1, issued - 1);
}

/**
 * Makes a token due: replaces its `.use` by renaming, as CredD and the portal do, because
 * a daemon may look only at directories that have changed.
 */
export function makeDue(stem: string): void {
  writeFileSync(`${stem}.use.new`, accessToken(true).text, { mode: 0o600 });
  renameSync(`${stem}.use.new`, `${stem}.use`);
}

/**
 * A `.use`. A due token ends within a second, because the Python program counts from the
 * change of the file, which nobody can set.
 */
function accessToken(isDue: boolean): { readonly text: string; readonly issued: number } {
  const lifetime = isDue ? 1 : 86_400;
  const issued = Math.floor(Date.now() / 1000) - (isDue ? 2 : 0);
  const text = JSON.stringify({
    access_token: `at-${'x'.repeat(210)}`,
    token_type: 'Bearer',
    expires_in: lifetime,
    issued_at: issued,
    expires_at: issued + lifetime,
  });
  return { text, issued };
}

/** The first refresh token, with the access point's name; the issuer counts the generations. */
function refreshToken(stem: string): string {
  return `rt-${stem.split('/').slice(-4).join('.')}-0`;
}
