// `usable`: may a job start with this token? Prints nothing but the reason when not.
import type { FileState, TokenTimes } from '@credmon/core';
import type { Subcommand } from '../command.ts';
import { instant, openTokens } from './tokens.ts';

/** Exit code 0 when the token lives at least `seconds` more, else 1 and the reason through `complain`. */
export async function runUsableCommand(
  command: Subcommand & { kind: 'usable' },
  env: NodeJS.ProcessEnv,
  complain: (text: string) => void,
): Promise<number> {
  const { store } = openTokens(command, env);
  const now = instant();
  const { tokens } = await store.scan(now);
  const use = tokens.find(({ user, stem }) => user === command.user && stem === command.service)?.use;
  const why = reason(use ?? { kind: 'missing' }, command.seconds, now.wall);
  if (why === undefined) return 0;
  complain(`${command.user}/${command.service}: ${why}`);
  return 1;
}

function reason(use: FileState<TokenTimes>, seconds: number, now: number): string | undefined {
  if (use.kind === 'missing') return 'there is no token';
  if (use.kind === 'broken') return `.use ${use.reason}`;
  const left = Math.floor(use.value.expiresAt - now);
  return left > 0 && left >= seconds ? undefined : `it has ${Math.max(0, left)} s left`;
}
