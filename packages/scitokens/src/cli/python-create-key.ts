// scitokens-admin-create-key: the Python tool's flags and output.
import { parseArgs } from 'node:util';
import { createKey, keyIdOf } from '../keys/create-key.ts';
import { isObject } from '../token/compact.ts';
import { readKey, writeJson, writeKey, type ReadKey } from '../keys/keys.ts';
import type { Io } from './io.ts';
import { misuse, runCommand } from './outcome.ts';

const NAME = 'scitokens-admin-create-key';
const HELP = `usage: ${NAME}
         (--private-keyfile FILE | --public-keyfile FILE | --create-keys) [--ec]
         [--jwks-public] [--jwks-private] [--pem-private] [--pem-public]
Reads or creates a key and prints it in the requested forms.
`;
const flag = { type: 'boolean', default: false } as const;
const OPTIONS = {
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
  return runCommand(NAME, io, false, () => {
    const values = parse(argv);
    if (values.help) return io.out(HELP);
    const key = obtain(values, io);
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

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

function parse(argv: readonly string[]): Values {
  let values: Values;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: OPTIONS,
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

function obtain(values: Values, io: Io): ReadKey {
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
