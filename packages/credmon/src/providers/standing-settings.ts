// Standing tokens, CREDMON_STANDING_TOKENS: tokens of services, which belong to no job; where each goes and what it says.
import { isCredName, type Config, type KnobReader } from '@credmon/core';
import { readIssuer, type LocalIssuer } from './local-settings.ts';

/** One standing token. `lifetime` in seconds; `mode` are permission bits; `owner` is a user name, or `undefined` for the daemon's own user. */
export interface StandingToken {
  readonly name: string;
  readonly issuer: LocalIssuer;
  readonly path: string;
  readonly subject: string;
  readonly scope: readonly string[];
  readonly audience: readonly string[];
  readonly lifetime: number;
  readonly owner: string | undefined;
  readonly mode: number;
  readonly format: 'jwt' | 'json';
}

/** Reads the standing tokens. Mistakes go to `read`; `clients` are the names of CLIENT_CREDMON_PROVIDER_NAMES. */
export function readStandingTokens(
  config: Config,
  read: KnobReader,
  clients: readonly string[],
): readonly StandingToken[] {
  const names = [...new Set(read.list('CREDMON_STANDING_TOKENS') ?? [])];
  const tokens = names.map((name) => readOne(config, read, name, clients));
  const paths = new Set<string>();
  for (const { path, name } of tokens) {
    if (paths.has(path))
      read.mistake(`CREDMON_STANDING_${name}_PATH`, 'is the path of another standing token');
    paths.add(path);
  }
  return tokens;
}

function readOne(config: Config, read: KnobReader, name: string, clients: readonly string[]): StandingToken {
  const own = (shared: string): string => {
    const special = shared.replace('_STANDING_', () => `_STANDING_${name}_`);
    return config.origin(special) === undefined ? shared : special;
  };
  if (!isCredName(name))
    read.mistake(
      'CREDMON_STANDING_TOKENS',
      `names ${JSON.stringify(name)}: use letters, digits and "+=_.-" only`,
    );
  const provider = read.string(own('CREDMON_STANDING_PROVIDER'));
  if (provider === undefined) missing(read, name, 'PROVIDER');
  if (provider !== undefined && clients.includes(provider))
    read.mistake(
      own('CREDMON_STANDING_PROVIDER'),
      `is ${provider}, which fetches its tokens with client credentials; only tokens signed here can stand`,
    );
  const issuer = readIssuer(config, read, provider ?? name);
  const words = (text: string | undefined): readonly string[] => (text ?? '').split(/[\s,]+/).filter(Boolean);
  const token: StandingToken = {
    name,
    issuer,
    path: read.path(`CREDMON_STANDING_${name}_PATH`) ?? '',
    subject: read.string(`CREDMON_STANDING_${name}_SUBJECT`) ?? '',
    scope: words(read.string(own('CREDMON_STANDING_SCOPE'))),
    audience: words(read.string(own('CREDMON_STANDING_AUDIENCE'))),
    lifetime: Math.floor(read.seconds(own('CREDMON_STANDING_LIFETIME'), 3600, 10, 31_536_000)),
    owner: read.string(own('CREDMON_STANDING_OWNER')),
    mode: readMode(read, own('CREDMON_STANDING_MODE')),
    format: readFormat(read, own('CREDMON_STANDING_FORMAT')),
  };
  if (token.path === '') missing(read, name, 'PATH');
  if (token.subject === '') missing(read, name, 'SUBJECT');
  if (token.scope.length === 0) missing(read, name, 'SCOPE');
  if (token.audience.length === 0 && issuer.profile !== 'scitoken:1.0') missing(read, name, 'AUDIENCE');
  return token;
}

function missing(read: KnobReader, name: string, what: string): void {
  read.mistake(`CREDMON_STANDING_${name}_${what}`, `is not set, and the standing token ${name} needs it`);
}

/** Octal, as chmod takes it. Whoever can read a token can use it, so others never can. */
function readMode(read: KnobReader, knob: string): number {
  const text = read.string(knob) ?? '0600';
  const mode = /^0?[0-7]{3}$/.test(text) ? Number.parseInt(text, 8) : -1;
  if (mode >= 0 && (mode & 0o400) !== 0 && (mode & 0o137) === 0) return mode;
  read.mistake(
    knob,
    `is ${JSON.stringify(text)}; it must be octal, such as 0600 or 0640, and closed to others`,
  );
  return 0o600;
}

function readFormat(read: KnobReader, knob: string): 'jwt' | 'json' {
  const text = (read.string(knob) ?? 'jwt').toLowerCase();
  if (text === 'jwt' || text === 'json') return text;
  read.mistake(knob, `is ${JSON.stringify(text)}; it must be jwt or json`);
  return 'jwt';
}
