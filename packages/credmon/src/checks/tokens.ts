// Checks the credential directory: its permissions, the running daemon, and tokens that
// need attention.
import { dirname } from 'node:path';
import {
  isCoded,
  messageOf,
  shellWord,
  ok,
  warning,
  wrong,
  type Finding,
  pluralise,
} from '@credmon/core/base';
import { runningDaemon } from '../daemon/pid-and-complete.ts';
import { olderDirectory } from '../host/older-directory.ts';
import {
  minimumRemainingOf,
  shortestLifetime,
  lifetimeAdvice,
} from '../report/remaining-lifetime.ts';
import { isStanding, STANDING } from '../providers/standing/ports.ts';
import { needsAdministrator } from '../status/table.ts';
import { administratorTexts, attentionTexts, unownedTexts } from '../status/summary.ts';
import { type CheckContext, isDenied, writable } from './context.ts';
import { evaluateTokens, openStore, type EvaluatedToken } from '../status/tokens.ts';

const DIRECTORY = 'credential directory';
const TOKENS = 'tokens';

/** Checks the directory, the daemon and the tokens. */
export async function checkTokens({ settings, now }: CheckContext): Promise<Finding[]> {
  const { credDir } = settings;
  try {
    const { tokens, problems } = await openStore(settings).scan(now);
    const seen = evaluateTokens(tokens, settings, now);
    const older = olderDirectory(credDir);
    return [
      ok(DIRECTORY, `${credDir} is private and writable`),
      ...(older === undefined ? [] : [warning(DIRECTORY, older)]),
      ...problems.map((text) => warning(DIRECTORY, text)),
      checkDaemon(credDir),
      countOf(seen),
      ...rowFindings(seen),
      ...shortLives(seen, settings),
    ];
  } catch (error) {
    const daemon = isDenied(error)
      ? warning('daemon', 'permission denied: cannot check the daemon as this user')
      : checkDaemon(credDir);
    return [directoryFinding(credDir, error), daemon];
  }
}

/** A directory that the daemon will create is not an error. */
function directoryFinding(credDir: string, error: unknown): Finding {
  const missing = isCoded(error, 'CRED_DIR_INVALID') && error.fields['missing'] === true;
  if (!missing || !writable(dirname(credDir))) return wrong(DIRECTORY, messageOf(error));
  return warning(
    DIRECTORY,
    `${credDir} is missing: the daemon creates it; for CredD it should belong to the group ` +
      `condor; fix: install -d -o root -g condor -m 2770 ${shellWord(credDir)}`,
  );
}

function checkDaemon(credDir: string): Finding {
  const pid = runningDaemon(credDir);
  return pid === undefined
    ? warning('daemon', 'no condor_credmon is running here: nothing is renewed')
    : ok('daemon', `process ${pid} is running`);
}

function countOf(seen: readonly EvaluatedToken[]): Finding {
  const ours = seen.filter(({ managed }) => managed !== undefined).length;
  const all = pluralise(seen.length, 'token') || 'no token yet';
  return ok(TOKENS, seen.length === 0 ? all : `${all}, ${ours} of them managed`);
}

function rowFindings(seen: readonly EvaluatedToken[]): Finding[] {
  const rows = seen.map(({ row }) => row);
  // Standing tokens on disk have their own check.
  const others = rows.filter(({ user }) => user !== STANDING);
  // A failure that waits for the administrator is an error, so that a script notices it.
  const rest = others.filter((row) => !needsAdministrator(row));
  return [
    ...administratorTexts(others).map((text) => wrong(TOKENS, text)),
    ...[...unownedTexts(rest), ...attentionTexts(rest)].map((text) => warning(TOKENS, text)),
  ];
}

/**
 * R18 for tokens with a lifetime that only the issuer knows; the others are checked by
 * the configuration.
 */
function shortLives(
  seen: readonly EvaluatedToken[],
  settings: CheckContext['settings'],
): Finding[] {
  const least = new Map<string, { readonly left: number; readonly enough: number }>();
  for (const { managed, row } of seen) {
    if (!managed || isStanding(managed.provider)) continue;
    if (['local', 'vault'].includes(managed.provider)) continue;
    const left = minimumRemainingOf(managed, settings) ?? Number.POSITIVE_INFINITY;
    const known = least.get(row.service)?.left ?? Number.POSITIVE_INFINITY;
    if (left < Math.min(settings.floor, known))
      least.set(row.service, { left, enough: shortestLifetime(managed.policy, settings) });
  }
  return [...least].map(([service, { left, enough }]) =>
    warning(
      TOKENS,
      `a job may read a token of ${service} with only ${Math.max(0, left)} s left; ` +
        `${lifetimeAdvice(enough)}, or lower SEC_CREDENTIAL_REFRESH`,
    ),
  );
}
