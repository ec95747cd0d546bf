// The check command's look at the credential directory: may we use it, is somebody at
// work, and which tokens are in trouble.
import { dirname } from 'node:path';
import { isCoded, messageOf, shellWord } from '@credmon/core/base';
import { ok, warning, wrong, type Finding } from './finding.ts';
import { counted } from './layout.ts';
import { runningDaemon } from '../daemon/process.ts';
import { worstLifeLeft } from '../report/remaining-lifetime.ts';
import { STANDING } from '../providers/standing/standing.ts';
import { troubleTexts, unownedTexts } from '../status/summary.ts';
import type { CheckContext } from './context.ts';
import { writable } from './context.ts';
import { judgeTokens, openStore, type SeenToken } from '../status/tokens.ts';

const DIRECTORY = 'credential directory';
const TOKENS = 'tokens';

/** The directory, the daemon, and what a person should know of the tokens. */
export async function lookAtTokens({ settings, now }: CheckContext): Promise<Finding[]> {
  const { credDir } = settings;
  try {
    const { tokens, problems } = await openStore(settings).scan(now);
    const seen = judgeTokens(tokens, settings, now);
    return [
      ok(DIRECTORY, `${credDir} is closed to others, and can be written to`),
      ...problems.map((text) => warning(DIRECTORY, text)),
      lookAtDaemon(credDir),
      countOf(seen),
      ...judgeRows(seen),
      ...shortLives(seen, settings),
    ];
  } catch (error) {
    return [troubleWith(credDir, error), lookAtDaemon(credDir)];
  }
}

/** A directory that the daemon will make is not a mistake. */
function troubleWith(credDir: string, error: unknown): Finding {
  const missing = isCoded(error, 'CRED_DIR_INVALID') && error.fields['missing'] === true;
  if (!missing || !writable(dirname(credDir))) return wrong(DIRECTORY, messageOf(error));
  return warning(
    DIRECTORY,
    `${credDir} is not there yet: the daemon makes it; for CredD it should belong to the group condor; fix: install -d -o root -g condor -m 2770 ${shellWord(credDir)}`,
  );
}

function lookAtDaemon(credDir: string): Finding {
  const pid = runningDaemon(credDir);
  return pid === undefined
    ? warning('daemon', 'no condor_credmon is running here: nothing is renewed')
    : ok('daemon', `process ${pid} is running`);
}

function countOf(seen: readonly SeenToken[]): Finding {
  const ours = seen.filter(({ managed }) => managed !== undefined).length;
  const all = counted(seen.length, 'token') || 'no token yet';
  return ok(TOKENS, seen.length === 0 ? `there is ${all}` : `${all}, ${ours} of which we renew`);
}

function judgeRows(seen: readonly SeenToken[]): Finding[] {
  const rows = seen.map(({ row }) => row);
  // What is in a standing token's place is reported where that token is.
  const others = rows.filter(({ user }) => user !== STANDING);
  return [...unownedTexts(others), ...troubleTexts(others)].map((text) => warning(TOKENS, text));
}

/**
 * R18 for tokens whose lifetime only their issuer knows; that of the others is in the
 * configuration.
 */
function shortLives(seen: readonly SeenToken[], settings: CheckContext['settings']): Finding[] {
  const least = new Map<string, number>();
  for (const { managed, row } of seen) {
    if (!managed || ['local', 'standing', 'vault'].includes(managed.provider)) continue;
    const left = worstLifeLeft(managed, settings) ?? Number.POSITIVE_INFINITY;
    if (left < settings.floor)
      least.set(row.service, Math.min(left, least.get(row.service) ?? left));
  }
  return [...least].map(([service, left]) =>
    warning(
      TOKENS,
      `a job may read a token of ${service} with only ${Math.max(0, left)} s left; ask the issuer for longer lifetimes, or lower SEC_CREDENTIAL_REFRESH`,
    ),
  );
}
