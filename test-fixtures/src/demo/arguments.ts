// The command line of the demo.
import { parseArgs } from 'node:util';

/** The parsed arguments. `ttl` is the lifetime of access tokens, in seconds. */
export type DemoArguments =
  | {
      readonly kind: 'run';
      readonly auto: boolean;
      readonly pool: boolean;
      readonly ttl: number;
    }
  | { readonly kind: 'text'; readonly text: string; readonly exitCode: number };

export const USAGE: string = `npm run demo -- [--pool] [--auto] [--ttl SECONDS]

Shows a login in a browser become a token that stays fresh, all on this machine.
  --pool         with a real HTCondor pool and condor_submit (as root)
  --auto         log in without a human, wait for two renewals, check, and exit
  --ttl SECONDS  how long access tokens live (60; with --auto 6; at least 2;
                 with --pool and --auto 20, and at least 15)`;

/** Parses the arguments after the name of the script. */
export function demoArguments(argv: readonly string[]): DemoArguments {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        auto: { type: 'boolean' },
        pool: { type: 'boolean' },
        ttl: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) return { kind: 'text', text: USAGE, exitCode: 0 };
    const auto = values.auto === true;
    const pool = values.pool === true;
    const [least, short] = pool ? [15, 20] : [2, 6];
    const ttl = Number(values.ttl ?? (auto ? short : 60));
    if (!Number.isInteger(ttl) || ttl < least || ttl > 86_400)
      throw new Error(
        `--ttl ${values.ttl} is not a whole number of seconds between ${least} and 86400`,
      );
    return { kind: 'run', auto, pool, ttl };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'text', text: `demo: ${reason}\n\n${USAGE}`, exitCode: 2 };
  }
}
