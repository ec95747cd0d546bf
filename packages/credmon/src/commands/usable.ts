// `usable`: checks whether a job can start with a token. Prints only the reason when not.
import { checkCredentialDirectory, readUse } from '@credmon/core/store';
import { systemClock } from '@credmon/core/base';
import { instantOf, type FileState, type TokenTimes } from '@credmon/core/credential';
import type { Subcommand } from '../command-line/command.ts';
import { STANDING } from '../providers/standing/ports.ts';
import { type Settings, settingsOf } from '../settings/read.ts';
import { openConfig } from '../command-line/open-config.ts';
import { lifetimeOfStem } from '../settings/policy.ts';

/**
 * Exit code 0 when the token is valid for at least `seconds` more, otherwise 1 with the
 * reason on standard error.
 */
export async function runUsableCommand(
  command: Subcommand & { kind: 'usable' },
  env: NodeJS.ProcessEnv,
  stderr: (text: string) => void,
): Promise<number> {
  const use = await stateOf(
    command,
    settingsOf(openConfig(command, env), command, process.argv[1]),
  );
  const why = reason(use, command.seconds, instantOf(systemClock).wall);
  if (why === undefined) return 0;
  stderr(`${command.user}/${command.service}: ${why}`);
  return 1;
}

/**
 * Reads only this token. Standing tokens have no own files in the credential directory; what
 * reads them is loaded only for them.
 */
async function stateOf(
  { user, service }: Subcommand & { kind: 'usable' },
  settings: Settings,
): Promise<FileState<TokenTimes>> {
  if (user !== STANDING) {
    const { credDir, condorIds: condor } = settings;
    const directory = checkCredentialDirectory(credDir, { create: false, condor });
    return readUse(directory, user, service, lifetimeOfStem(service, settings));
  }
  const { openStore } = await import('../status/tokens.ts');
  const { tokens } = await openStore(settings).scan(instantOf(systemClock));
  const token = tokens.find((each) => each.user === user && each.stem === service);
  return token?.use ?? { kind: 'missing' };
}

function reason(use: FileState<TokenTimes>, seconds: number, now: number): string | undefined {
  if (use.kind === 'missing') return 'no such token';
  if (use.kind === 'broken') return `.use ${use.reason}`;
  const left = Math.floor(use.value.expiresAt - now);
  if (left <= 0) return 'expired';
  return left >= seconds ? undefined : `expires in ${left} s`;
}
