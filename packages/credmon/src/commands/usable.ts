// `usable`: may a job start with this token? Prints nothing but the reason when not.
import { readUse } from '@credmon/core/store';
import { systemClock } from '@credmon/core/base';
import { instantOf, type FileState, type TokenTimes } from '@credmon/core/credential';
import type { Subcommand } from '../command-line/command.ts';
import { STANDING } from '../providers/standing/standing.ts';
import type { Settings } from '../settings/read.ts';
import { existingDirectory, openStore, settingsOf } from '../status/tokens.ts';
import { openConfig } from '../command-line/open-config.ts';

/**
 * Exit code 0 when the token lives at least `seconds` more, else 1 and the reason through
 * `complain`.
 */
export async function runUsableCommand(
  command: Subcommand & { kind: 'usable' },
  env: NodeJS.ProcessEnv,
  complain: (text: string) => void,
): Promise<number> {
  const use = await stateOf(command, settingsOf(openConfig(command, env), command));
  const why = reason(use, command.seconds, instantOf(systemClock).wall);
  if (why === undefined) return 0;
  complain(`${command.user}/${command.service}: ${why}`);
  return 1;
}

/**
 * Only the one token is looked at. Standing tokens have no files of their own in the
 * credential directory.
 */
async function stateOf(
  { user, service }: Subcommand & { kind: 'usable' },
  settings: Settings,
): Promise<FileState<TokenTimes>> {
  if (user !== STANDING)
    return readUse(existingDirectory(settings), user, service, settings.policy.defaultLifetime);
  const { tokens } = await openStore(settings).scan(instantOf(systemClock));
  const token = tokens.find((each) => each.user === user && each.stem === service);
  return token?.use ?? { kind: 'missing' };
}

function reason(use: FileState<TokenTimes>, seconds: number, now: number): string | undefined {
  if (use.kind === 'missing') return 'there is no token';
  if (use.kind === 'broken') return `.use ${use.reason}`;
  const left = Math.floor(use.value.expiresAt - now);
  return left > 0 && left >= seconds ? undefined : `it has ${Math.max(0, left)} s left`;
}
