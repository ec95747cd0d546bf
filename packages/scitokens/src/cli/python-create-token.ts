// scitokens-admin-create-token: the Python tool's flags and output.
import { parseArgs } from 'node:util';
import { CodedError } from '@credmon/core/base';
import { readSigningKey } from '../keys/keys.ts';
import { newTokenId, signClaims } from '../token/sign.ts';
import type { Io } from './io.ts';
import { misuse, runCommand } from './outcome.ts';

const NAME = 'scitokens-admin-create-token';
const HELP = `usage: ${NAME} [--demo] [--keyfile FILE] [--key_id ID]
         [--issuer URL] [--lifetime SECONDS] CLAIM=VALUE...
Issues a token with the given claims (default lifetime: 1200 seconds). --demo
gets the token from https://demo.scitokens.org.
`;
const DEMO = 'https://demo.scitokens.org/issue';
const OPTIONS = {
  demo: { type: 'boolean', default: false },
  keyfile: { type: 'string' },
  key_id: { type: 'string' },
  issuer: { type: 'string' },
  lifetime: { type: 'string', default: '1200' },
  help: { type: 'boolean', default: false, short: 'h' },
} as const;

type Parsed = ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>;

/** Runs the command and returns its exit code. */
export function createTokenCommand(argv: readonly string[], io: Io): Promise<number> {
  return runCommand(NAME, io, false, async () => {
    const { values, positionals } = parse(argv);
    if (values.help) return io.out(HELP);
    if (positionals.length === 0) throw misuse('at least one claim=value is required');
    const claims = Object.fromEntries(positionals.map(readClaim));
    io.out(`${values.demo ? await askDemo(claims, io) : issue(values, claims, io)}\n`);
  });
}

function parse(argv: readonly string[]): Parsed {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true, allowPositionals: true });
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
  { keyfile, key_id, issuer, lifetime }: Parsed['values'],
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
