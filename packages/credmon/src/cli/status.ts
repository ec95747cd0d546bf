// The status command: scans as the daemon would, changes nothing, and prints.
import {
  CodedError,
  checkCredentialDirectory,
  judge,
  openCredentialDirectory,
  systemClock,
  systemRandom,
  type Instant,
} from '@credmon/core';
import type { Subcommand } from '../command.ts';
import { localFiles } from '../local-files.ts';
import { ownershipOf } from '../ownership.ts';
import { secretVersion } from '../secret-file.ts';
import { withStanding } from '../providers/standing-store.ts';
import { standingFiles } from '../standing-files.ts';
import { readSettings } from '../settings.ts';
import { needsAttention, statusRow, statusTable, type StatusRow } from '../status.ts';
import { openConfig } from './open-config.ts';

/** Prints the status through `print`; answers with the exit code: 0, or 1 when a token needs attention. @throws CodedError when nothing can be said */
export async function runStatusCommand(
  command: Subcommand & { kind: 'status' },
  env: NodeJS.ProcessEnv,
  print: (text: string) => void,
): Promise<number> {
  const settings = readSettings(openConfig(command, env), {
    ...command,
    logFile: undefined,
    debug: false,
    verbose: false,
  });
  checkCredentialDirectory(settings.credDir, { create: false });
  const { defaultLifetime } = settings.policy;
  const store = withStanding(
    openCredentialDirectory(settings.credDir, { defaultLifetime }),
    () => settings.standing,
    standingFiles(),
  );
  const now: Instant = { wall: systemClock.now(), steady: systemClock.steady() };
  const ownership = ownershipOf(settings, {
    secretVersion,
    random: systemRandom,
    local: localFiles(() => undefined),
  });
  const { tokens } = await store.scan(now);
  const wanted = tokens.filter((token) => command.user === undefined || token.user === command.user);
  if (command.user !== undefined && wanted.length === 0) {
    throw new CodedError('CRED_FILE_IO', `there is no token of ${command.user} in ${settings.credDir}`, {
      user: command.user,
    });
  }
  const rows: StatusRow[] = wanted
    .map((token) => {
      const owner = ownership.manage(token);
      return statusRow(owner?.managed.snapshot ?? token, owner && judge(owner.managed, now), now);
    })
    .sort((a, b) => (`${a.user} ${a.service} ${a.handle}` < `${b.user} ${b.service} ${b.handle}` ? -1 : 1));
  print(
    command.json ? JSON.stringify({ directory: settings.credDir, tokens: rows }, null, 2) : textOf(rows, now),
  );
  return rows.some(needsAttention) ? 1 : 0;
}

function textOf(rows: readonly StatusRow[], now: Instant): string {
  return rows.length === 0 ? 'There are no tokens.' : statusTable(rows, now.wall);
}
