// The status command: scans as the daemon would, changes nothing, and prints.
import { CodedError, systemClock } from '@credmon/core/base';
import { instantOf } from '@credmon/core/credential';
import type { Subcommand } from '../command-line/command.ts';
import { runningDaemon } from '../daemon/process.ts';
import { needsAttention, statusTable } from '../status/rows.ts';
import { attentionTexts } from '../status/summary.ts';
import { evaluateTokens, openTokens } from '../status/tokens.ts';

/**
 * Where the status goes: the table or JSON to `print`, what a person should know besides
 * to `complain`; `width` is a terminal's columns.
 */
export interface StatusOutput {
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
  readonly width: number | undefined;
}

/**
 * Prints the status; answers with the exit code: 0, or 1 when a token needs attention.
 * @throws CodedError when nothing can be said
 */
export async function runStatusCommand(
  command: Subcommand & { kind: 'status' },
  env: NodeJS.ProcessEnv,
  { print, complain, width }: StatusOutput,
): Promise<number> {
  const { settings, store } = openTokens(command, env);
  const now = instantOf(systemClock);
  const { tokens, problems } = await store.scan(now);
  const wanted = tokens.filter(
    (token) => command.user === undefined || token.user === command.user,
  );
  if (command.user !== undefined && wanted.length === 0) {
    throw new CodedError(
      'CRED_FILE_IO',
      `there is no token of ${command.user} in ${settings.credDir}`,
      {
        user: command.user,
      },
    );
  }
  const rows = evaluateTokens(wanted, settings, now).map(({ row }) => row);
  const daemon = runningDaemon(settings.credDir) ?? null;
  if (command.json)
    print(JSON.stringify({ directory: settings.credDir, daemon, tokens: rows }, null, 2));
  else {
    print(rows.length === 0 ? 'There are no tokens.' : statusTable(rows, now.wall, width));
    for (const text of [...problems, ...attentionTexts(rows)]) complain(text);
    if (daemon === null) complain('No condor_credmon is running here: nothing is renewed.');
  }
  return rows.some(needsAttention) ? 1 : 0;
}
