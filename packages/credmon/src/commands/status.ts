// The status command: scans as the daemon does, changes nothing, and prints. A user who
// may not scan sees what the daemon wrote for this user.
import { CodedError, systemClock } from '@credmon/core/base';
import { instantOf } from '@credmon/core/credential';
import type { Subcommand } from '../command-line/command.ts';
import { runningDaemon } from '../daemon/pid-and-complete.ts';
import { needsAttention, statusTable } from '../status/rows.ts';
import { attentionTexts, unownedTexts } from '../status/summary.ts';
import { evaluateTokens, openStore, settingsOf } from '../status/tokens.ts';
import { openConfig } from '../command-line/open-config.ts';
import { runOwnStatus, type StatusOutput } from './own-status.ts';
import { isClosedToUs, readDirectories } from './user-directories.ts';

/**
 * Prints the status. Returns the exit code: 0, or 1 when a token needs attention.
 * @throws CodedError when the status cannot be read
 */
export async function runStatusCommand(
  command: Subcommand & { kind: 'status' },
  env: NodeJS.ProcessEnv,
  output: StatusOutput,
): Promise<number> {
  const config = openConfig(command, env);
  if (isClosedToUs(config, command))
    return runOwnStatus(command, readDirectories(config, command), output);
  const { stdout, stderr, width } = output;
  const settings = settingsOf(config, command);
  const now = instantOf(systemClock);
  const { tokens, problems } = await openStore(settings).scan(now);
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
    for (const text of [...problems, ...attentionTexts(rows), ...unownedTexts(rows)]) stderr(text);
    if (daemon === null) stderr('No condor_credmon is running here: nothing is renewed.');
  }
  return rows.some(needsAttention) ? 1 : 0;
}
