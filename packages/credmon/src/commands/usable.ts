// `usable`: checks whether a job can start with a token. Prints only the reason when not.
import { checkCredentialDirectory, readUse } from '@credmon/core/store';
import { systemClock } from '@credmon/core/base';
import { instantOf, type FileState, type TokenTimes } from '@credmon/core/credential';
import type { Subcommand } from '../command-line/command.ts';
import { STANDING } from '../providers/standing/ports.ts';
import type { Settings } from '../settings/read.ts';
import { openConfig } from '../command-line/open-config.ts';
import {
  type Config,
  createKnobReader,
  readCondorIds,
  readCredentialDirectory,
} from '@credmon/core/config';

/**
 * Exit code 0 when the token is valid for at least `seconds` more, otherwise 1 with the
 * reason on standard error.
 */
export async function runUsableCommand(
  command: Subcommand & { kind: 'usable' },
  env: NodeJS.ProcessEnv,
  stderr: (text: string) => void,
): Promise<number> {
  const use = await stateOf(command, openConfig(command, env));
  const why = reason(use, command.seconds, systemClock.now());
  if (why === undefined) return 0;
  stderr(`${command.user}/${command.service}: ${why}`);
  return 1;
}

/**
 * Reads only this token, and only the setting of the credential directory. All settings
 * are read in two cases: if the token's files do not contain its lifetime, and for a
 * standing token, which has no files of its own in the credential directory.
 */
async function stateOf(
  command: Subcommand & { kind: 'usable' },
  config: Config,
): Promise<FileState<TokenTimes>> {
  const { user, service } = command;
  const settings = async (): Promise<Settings> => {
    const { settingsOf } = await import('../settings/read.ts');
    return settingsOf(config, command, process.argv[1]);
  };
  if (user === STANDING) {
    const { openStore } = await import('./read-directory.ts');
    const { tokens } = await openStore(await settings()).scan(instantOf(systemClock));
    const token = tokens.find((each) => each.user === user && each.stem === service);
    return token?.use ?? { kind: 'missing' };
  }
  const read = createKnobReader(config);
  const credDir = command.credDir ?? readCredentialDirectory(read);
  const condor = readCondorIds(config, read);
  read.finish();
  const directory = checkCredentialDirectory(credDir, { create: false, condor });
  const use = readUse(directory, user, service);
  if (use) return use;
  const { lifetimeOfStem } = await import('../settings/policy.ts');
  return readUse(directory, user, service, lifetimeOfStem(service, await settings()));
}

function reason(use: FileState<TokenTimes>, seconds: number, now: number): string | undefined {
  if (use.kind === 'missing') return 'no such token';
  if (use.kind === 'broken') return `.use ${use.reason}`;
  const left = Math.floor(use.value.expiresAt - now);
  if (left <= 0) return 'expired';
  return left >= seconds ? undefined : `expires in ${left} s`;
}
