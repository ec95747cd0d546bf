// The tools of the Python library, with its flags and output: scitokens-admin-create-key,
// scitokens-admin-create-token, and scitokens-verify-token, for which a rejected token is a
// failure.
import { createKey, keyIdOf } from '../keys/create-key.ts';
import { writeJson } from '../keys/jwk.ts';
import { type ReadKey, readKey, readSigningKey, writeKey } from '../keys/keys.ts';
import { isObject } from '../token/compact.ts';
import { newTokenId, signClaims } from '../token/sign.ts';
import { type Io, misuse, runCommand } from './io.ts';
import { verifyWith } from './token-commands.ts';
import { DEFAULT_LIFETIME, readTokenArgument } from './token-source.ts';
import { CodedError } from '@credmon/core/base';
import { parseArgs } from 'node:util';

const CREATE_KEY_TOOL = 'scitokens-admin-create-key';
const CREATE_KEY_HELP = `usage: ${CREATE_KEY_TOOL}
         (--private-keyfile FILE | --public-keyfile FILE | --create-keys) [--ec]
         [--jwks-public] [--jwks-private] [--pem-private] [--pem-public]
Reads or creates a key and prints it in the requested forms.
`;
const flag = { type: 'boolean', default: false } as const;
const CREATE_KEY_OPTIONS = {
  'private-keyfile': { type: 'string' },
  'public-keyfile': { type: 'string' },
  'create-keys': flag,
  'jwks-public': flag,
  'jwks-private': flag,
  'pem-private': flag,
  'pem-public': flag,
  ec: flag,
  help: { ...flag, short: 'h' },
} as const;

/** Runs the command and returns its exit code. */
export function createKeyCommand(argv: readonly string[], io: Io): Promise<number> {
  return runCommand(CREATE_KEY_TOOL, io, false, () => {
    const values = parseCreateKeyArguments(argv);
    if (values.help) return io.out(CREATE_KEY_HELP);
    const key = keyOf(values, io);
    const forms = (['jwks-public', 'jwks-private', 'pem-private', 'pem-public'] as const).filter(
      (form) => values[form],
    );
    // All or nothing: a private form of a public key fails before anything is printed.
    io.out(
      forms
        .map((form) => (form === 'jwks-private' ? privateJwks(key) : writeKey(key, form)))
        .join(''),
    );
  });
}

type CreateKeyValues = ReturnType<
  typeof parseArgs<{ options: typeof CREATE_KEY_OPTIONS }>
>['values'];

function parseCreateKeyArguments(argv: readonly string[]): CreateKeyValues {
  let values: CreateKeyValues;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: CREATE_KEY_OPTIONS,
      strict: true,
      allowPositionals: false,
    }));
  } catch (error) {
    throw misuse(error instanceof Error ? error.message : 'wrong arguments');
  }
  const sources = [
    values['private-keyfile'] !== undefined,
    values['public-keyfile'] !== undefined,
    values['create-keys'],
  ];
  if (!values.help && sources.filter(Boolean).length !== 1)
    throw misuse(
      'exactly one of --private-keyfile, --public-keyfile and --create-keys is required',
    );
  return values;
}

function keyOf(values: CreateKeyValues, io: Io): ReadKey {
  const path = values['private-keyfile'] ?? values['public-keyfile'];
  if (path === undefined) {
    const { kid, algorithm, privateKey } = createKey({ algorithm: values.ec ? 'ES256' : 'RS256' });
    return { kid, algorithm, key: privateKey };
  }
  const read = readKey(io.readFile(path));
  return { ...read, kid: keyIdOf(read.key) };
}

/** The Python tool writes no algorithm for private EC keys. */
function privateJwks(key: ReadKey): string {
  const jwk: unknown = JSON.parse(writeKey(key, 'jwk-private'));
  const members = Object.entries(isObject(jwk) ? jwk : {});
  return writeJson({
    keys: [
      Object.fromEntries(
        members.filter(([name]) => name !== 'alg' || key.algorithm.startsWith('RS')),
      ),
    ],
  });
}

const CREATE_TOKEN_TOOL = 'scitokens-admin-create-token';
const CREATE_TOKEN_HELP = `usage: ${CREATE_TOKEN_TOOL} [--demo] [--keyfile FILE] [--key_id ID]
         [--issuer URL] [--lifetime SECONDS] CLAIM=VALUE...
Issues a token with the given claims (default lifetime: ${DEFAULT_LIFETIME} seconds). --demo
gets the token from https://demo.scitokens.org.
`;
const DEMO = 'https://demo.scitokens.org/issue';
const CREATE_TOKEN_OPTIONS = {
  demo: { type: 'boolean', default: false },
  keyfile: { type: 'string' },
  key_id: { type: 'string' },
  issuer: { type: 'string' },
  lifetime: { type: 'string', default: String(DEFAULT_LIFETIME) },
  help: { type: 'boolean', default: false, short: 'h' },
} as const;

type CreateTokenValues = ReturnType<
  typeof parseArgs<{ options: typeof CREATE_TOKEN_OPTIONS; allowPositionals: true }>
>;

/** Runs the command and returns its exit code. */
export function createTokenCommand(argv: readonly string[], io: Io): Promise<number> {
  return runCommand(CREATE_TOKEN_TOOL, io, false, async () => {
    const { values, positionals } = parseCreateTokenArguments(argv);
    if (values.help) return io.out(CREATE_TOKEN_HELP);
    if (positionals.length === 0) throw misuse('at least one claim=value is required');
    const claims = Object.fromEntries(positionals.map(readClaim));
    io.out(`${values.demo ? await askDemo(claims, io) : issue(values, claims, io)}\n`);
  });
}

function parseCreateTokenArguments(argv: readonly string[]): CreateTokenValues {
  try {
    return parseArgs({
      args: [...argv],
      options: CREATE_TOKEN_OPTIONS,
      strict: true,
      allowPositionals: true,
    });
  } catch (error) {
    throw misuse(error instanceof Error ? error.message : 'wrong arguments');
  }
}

function readClaim(text: string): [string, string] {
  const sign = text.indexOf('=');
  if (sign < 1) throw misuse(`invalid claim ${text}: must be claim=value`);
  return [text.slice(0, sign), text.slice(sign + 1)];
}

function issue(
  { keyfile, key_id, issuer, lifetime }: CreateTokenValues['values'],
  claims: Record<string, string>,
  io: Io,
): string {
  if (keyfile === undefined) throw misuse('--keyfile is required');
  if (issuer === undefined) throw misuse('--issuer is required');
  if (!/^[1-9]\d{0,7}$/.test(lifetime))
    throw misuse(`invalid lifetime ${lifetime}: must be a number of seconds`);
  const key = readSigningKey(io.readFile(keyfile), { kid: key_id });
  const now = Math.floor(io.now());
  const jti = newTokenId(io.random(16));
  return signClaims(key, {
    jti,
    ...claims,
    iss: issuer,
    exp: now + Number(lifetime),
    iat: now,
    nbf: now,
  });
}

async function askDemo(payload: Record<string, string>, io: Io): Promise<string> {
  const body = JSON.stringify({ algorithm: 'ES256', payload });
  const { status, body: answer } = await io.send({ method: 'POST', url: DEMO, body });
  if (status !== 200)
    throw new CodedError('ISSUER_UNREACHABLE', `${DEMO} returned HTTP status ${status}`, {
      status,
    });
  return Buffer.from(answer).toString('utf8').trim();
}

const VERIFY_TOKEN_TOOL = 'scitokens-verify-token';
const VERIFY_TOKEN_HELP = `usage: ${VERIFY_TOKEN_TOOL} [-v] [TOKEN | --token TOKEN]
Verifies a token: the token itself, @FILE, or - for standard input (bare, or the
JSON of a .use file). -v prints its claims.
Exit status: 0 accepted, 1 rejected, 2 usage error.
`;

/** Runs the command and returns its exit code. */
export function verifyTokenCommand(argv: readonly string[], io: Io): Promise<number> {
  return runCommand(VERIFY_TOKEN_TOOL, io, false, async () => {
    const { token, verbose, help } = parseVerifyArguments(argv);
    if (help) return io.out(VERIFY_TOKEN_HELP);
    const { claims } = await verifyWith(readTokenArgument(token, io), {}, io);
    if (!verbose) return;
    io.out(
      `Claims:\n${Object.entries(claims)
        .map((claim) => `${pythonText(claim, '(', ')')}\n`)
        .join('')}`,
    );
  });
}

function parseVerifyArguments(argv: readonly string[]): {
  token: string | undefined;
  verbose: boolean;
  help: boolean;
} {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: {
        token: { type: 'string' },
        verbose: { type: 'boolean', short: 'v', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
      allowPositionals: true,
    });
    if (positionals.length > 1 || (positionals.length === 1 && values.token !== undefined))
      throw misuse('only one token is allowed');
    return { ...values, token: values.token ?? positionals[0] };
  } catch (error) {
    throw misuse(error instanceof Error ? error.message : 'wrong arguments');
  }
}

/** Formats a value like Python: scripts of existing sites search for it. */
function pythonText(value: unknown, open = '[', close = ']'): string {
  if (typeof value === 'string') {
    const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
    const escaped = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"');
    return quote + (quote === "'" ? escaped.replaceAll("'", String.raw`\'`) : escaped) + quote;
  }
  if (Array.isArray(value)) return open + value.map((item) => pythonText(item)).join(', ') + close;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([name, item]) => `${pythonText(name)}: ${pythonText(item)}`)
      .join(', ')}}`;
  return value === null ? 'None' : JSON.stringify(value);
}
