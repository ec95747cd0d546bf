// scitokens-verify-token: the Python tool's flags and output, but a rejected token is a
// failure.
import { parseArgs } from 'node:util';
import type { Io } from './io.ts';
import { misuse, runCommand } from './outcome.ts';
import { verifyWith } from './token-commands.ts';
import { readTokenArgument } from './token-source.ts';

const NAME = 'scitokens-verify-token';
const HELP = `usage: ${NAME} [-v] [TOKEN | --token TOKEN]
Verifies a token: the token itself, @FILE, or - for standard input (bare, or the
JSON of a .use file). -v prints its claims.
Exit status: 0 accepted, 1 rejected, 2 usage error.
`;

/** Runs the command and returns its exit code. */
export function verifyTokenCommand(argv: readonly string[], io: Io): Promise<number> {
  return runCommand(NAME, io, false, async () => {
    const { token, verbose, help } = parse(argv);
    if (help) return io.out(HELP);
    const { claims } = await verifyWith(readTokenArgument(token, io), {}, io);
    if (!verbose) return;
    io.out(
      `Claims:\n${Object.entries(claims)
        .map((claim) => `${pythonText(claim, '(', ')')}\n`)
        .join('')}`,
    );
  });
}

function parse(argv: readonly string[]): {
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
