// The status command: scans as the daemon does, changes nothing, and prints.
import { CodedError, systemClock } from '@credmon/core/base';
import { instantOf } from '@credmon/core/credential';
import type { Subcommand } from '../command-line/command.ts';
import { runningDaemon } from '../daemon/pid-and-complete.ts';
import { needsAttention, statusTable } from '../status/rows.ts';
import { attentionTexts } from '../status/summary.ts';
import { evaluateTokens, openTokens } from '../status/tokens.ts';

/**
 * The output of the status: the table or JSON on standard output, problems on standard
 * error; `width` is a terminal's columns.
 */
export interface StatusOutput {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly width: number | undefined;
}

/**
 * Prints the status. Returns the exit code: 0, or 1 when a token needs attention.
 * @throws CodedError when the status cannot be read
 */
export async function runStatusCommand(
  command: Subcommand & { kind: 'status' },
  env: NodeJS.ProcessEnv,
  { stdout, stderr, width }: StatusOutput,
): Promise<number> {
  const { settings, store } = openTokens(command, env);
  const now = instantOf(systemClock);
  const { tokens, problems } = await store.scan(now);
  const wanted = tokens.filter(
    (token) => command.user === undefined || token.user === command.user,
  );
  if (command.user !== undefined && wanted.length === 0) {
    throw new CodedError('CRED_FILE_IO', `no token of ${command.user} in ${settings.credDir}`, {
      user: command.user,
    });
  }
  const rows = evaluateTokens(wanted, settings, now).map(({ row }) => row);
  const daemon = runningDaemon(settings.credDir) ?? null;
  if (command.json)
    stdout(JSON.stringify({ directory: settings.credDir, daemon, tokens: rows }, null, 2));
  else {
    stdout(rows.length === 0 ? 'No tokens.' : statusTable(rows, now.wall, width));
    for (const text of [...problems, ...attentionTexts(rows)]) stderr(text);
    if (daemon === null) stderr('No condor_credmon is running here: nothing is renewed.');
  }
  return rows.some(needsAttention) ? 1 : 0;
}
