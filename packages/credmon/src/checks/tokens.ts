// Checks the credential directory (its permissions, the running daemon, tokens that need
// attention), and standing tokens: what will be written where, and what is there now.
import { seeDaemon } from '../commands/ask-daemon.ts';
import { runningDaemon } from '../daemon/pid-and-complete.ts';
import { olderDirectory } from '../host/older-directory.ts';
import { statusPath } from '../host/run-directory.ts';
import { standingFiles } from '../host/standing-files.ts';
import { loginState } from '../providers/standing/login.ts';
import { STANDING, isStanding } from '../providers/standing/ports.ts';
import {
  lifetimeAdvice,
  minimumRemaining,
  minimumRemainingOf,
  shortestLifetime,
  withoutStarter,
} from '../report/remaining-lifetime.ts';
import { loginCommand, remediationFor } from '../report/remediation.ts';
import type { StandingToken } from '../settings/standing.ts';
import { parseUserStatus } from '../status/status-file.ts';
import { administratorTexts, attentionTexts, unownedTexts } from '../status/summary.ts';
import { nameOf, needsAdministrator } from '../status/rows.ts';
import {
  type EvaluatedToken,
  evaluateTokens,
  openStandingTokens,
  openStore,
} from '../commands/read-directory.ts';
import {
  type Check,
  type CheckContext,
  isDenied,
  isOnlooker,
  unseen,
  writable,
} from './context.ts';
import { checkKey } from './key.ts';
import { foreignAudience, foreignScopes } from './local.ts';
import {
  type Finding,
  isCoded,
  messageOf,
  ok,
  pluralise,
  shellWord,
  warning,
  wrong,
} from '@credmon/core/base';
import type { Instant, TokenSnapshot } from '@credmon/core/credential';
import { readCredentialFile } from '@credmon/core/store';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';

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
    const daemon = isDenied(error) ? unseen('daemon', 'the daemon') : checkDaemon(credDir);
    const directory =
      isDenied(error) && isOnlooker(credDir)
        ? unseen(DIRECTORY, credDir)
        : directoryFinding(credDir, error);
    return [directory, daemon];
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
        `${lifetimeAdvice(enough)}, or reduce SEC_CREDENTIAL_REFRESH`,
    ),
  );
}

/** Returns one check for each standing token. */
export function standingChecks(context: CheckContext): Check[] {
  return context.settings.standing.map((token) => {
    const what = tokenTitle(token.name);
    return { what, run: () => checkStandingToken(what, token, context) };
  });
}

async function checkStandingToken(
  what: string,
  token: StandingToken,
  context: CheckContext,
): Promise<Finding[]> {
  const common = [
    ok(what, doing(token)),
    checkPlace(what, token),
    ...(await present(what, token, context)),
  ];
  // The check of its client or login provider reports the secret and the issuer.
  if (token.kind !== 'signed') return common;
  const { issuer, lifetime, name } = token;
  const known = context.settings.local.issuers.some(({ service }) => service === issuer.service);
  const key = await checkKey(what, { ...issuer, lifetime }, context);
  return [
    ...common,
    ...foreignScopes(what, issuer.profile, token.scope.join(' ')),
    ...foreignAudience(what, issuer.profile, token.audience),
    ...shortLifeOf(what, lifetime, name, context),
    // The check of a listed provider reports its key.
    ...(known ? key.filter(({ state }) => state === 'error') : key),
  ];
}

/**
 * Reports failed renewals of standing tokens, as the running daemon knows them: their
 * failures are not in the credential directory. Says so if no daemon's state can be read.
 */
export function standingFailures({
  settings: { standing, runDir },
}: Pick<CheckContext, 'settings'>): Finding[] {
  if (standing.length === 0) return [];
  const what = 'standing tokens';
  const unseen = (why: string): Finding[] => [
    ok(what, `failed renewals are not shown here: ${why}; see the daemon's log`),
  ];
  if (runDir === undefined) return unseen('CREDMON_RUN_DIR = none');
  const { whyNot } = seeDaemon(runDir);
  if (whyNot !== undefined) return unseen(whyNot);
  const path = statusPath(runDir, STANDING);
  const reading = readCredentialFile(path);
  const status = reading.kind === 'text' ? parseUserStatus(reading.text) : undefined;
  if (!status)
    return unseen(`${path} ${reading.kind === 'broken' ? reading.reason : 'is missing'}`);
  const failed = status.tokens.flatMap((row) => {
    const { last_error: error } = row;
    const isOurs = standing.some(({ name }) => name === nameOf(row));
    if (error === null || !isOurs) return [];
    const step = remediationFor(row, error.code);
    const text = `the last renewal failed (${error.code}): ${error.message}`;
    const isError = row.state === 'stopped' || needsAdministrator(row);
    const say = isError ? wrong : warning;
    return [say(tokenTitle(nameOf(row)), step === undefined ? text : `${text}; ${step}`)];
  });
  return failed.length > 0 ? failed : [ok(what, 'no renewal has failed')];
}

const tokenTitle = (name: string): string => `${name} (standing token)`;

/** R18 without a starter: the service reads the token directly. */
function shortLifeOf(
  what: string,
  lifetime: number,
  name: string,
  { settings: { policy, ...settings } }: CheckContext,
): Finding[] {
  const reader = withoutStarter(settings);
  const left = minimumRemaining(lifetime, policy, reader);
  if (left >= reader.floor) return [];
  const text =
    `its service may read it with only ${Math.max(0, left)} s left; set ` +
    `CREDMON_STANDING_${name}_LIFETIME to ${shortestLifetime(policy, reader)} or more`;
  return [warning(what, text)];
}

function doing(token: StandingToken): string {
  const { scope, audience, mode, owner, path, format } = token;
  const audienceText = audience.length === 0 ? '' : ` for ${audience.join(' ')}`;
  const ownerText = owner === undefined ? '' : ` of ${owner}`;
  const from = sourceText(token);
  const subject = token.subject === undefined ? '' : `${token.subject}, `;
  const life = token.kind === 'signed' ? `, ${token.lifetime} s` : '';
  return (
    `keeps a token of ${from} in ${path}: ${subject}scopes "${scope.join(' ')}"${audienceText}${life}; ` +
    `${format}, mode ${mode.toString(8).padStart(4, '0')}${ownerText}`
  );
}

function sourceText(token: StandingToken): string {
  switch (token.kind) {
    case 'signed':
      return `${token.issuer.service} (${token.issuer.issuer})`;
    case 'fetched':
      return `${token.client.name}, fetched as ${token.client.clientId},`;
    case 'login':
      return `${token.provider}, renewed from a login as client ${token.client.clientId},`;
  }
}

function checkPlace(what: string, { path, owner }: StandingToken): Finding {
  const directory = dirname(path);
  const user = owner === undefined ? undefined : standingFiles().owner(owner);
  if (owner !== undefined && !user)
    return wrong(what, `user ${owner}, the owner of the token, not found`);
  if (!existsSync(directory))
    return wrong(
      what,
      `${directory} is missing; fix: install -d ${owner === undefined ? '' : `-o ${shellWord(owner)} `}-m ` +
        `755 ${shellWord(directory)}`,
    );
  if (!writable(directory)) return wrong(what, `this process cannot write to ${directory}`);
  const self = process.geteuid?.();
  if (user && self !== 0 && self !== user.uid)
    return wrong(
      what,
      `only root can give a file to ${owner ?? ''}, and this is user id ${self ?? 0}`,
    );
  return ok(what, `${directory} is writable`);
}

/** Evaluates the token on disk, and its login, as the daemon does. */
async function present(
  what: string,
  token: StandingToken,
  { now, settings }: CheckContext,
): Promise<Finding[]> {
  const store = openStandingTokens(settings.credDir, [token]);
  const { tokens, problems } = await store.scan(now);
  const [snapshot] = tokens;
  const login = snapshot && token.kind === 'login' ? checkLogin(what, token, snapshot) : [];
  return [
    ...problems.map((text) => wrong(what, text)),
    ...login,
    checkUse(what, snapshot?.use ?? { kind: 'missing' }, now),
  ];
}

function checkUse(what: string, use: TokenSnapshot['use'], now: Instant): Finding {
  if (use.kind === 'missing') return warning(what, 'no token yet');
  if (use.kind === 'broken')
    return warning(what, `the token on disk ${use.reason} and will be replaced`);
  const left = Math.floor(use.value.expiresAt - now.wall);
  if (left <= 0) return wrong(what, 'the token has expired');
  const life = Number.isFinite(left) ? `is valid for ${left} s more` : 'does not expire';
  return ok(what, `the token ${life}`);
}

/** A person must make the first login, and again after the end of the grant. */
function checkLogin(what: string, { name }: StandingToken, snapshot: TokenSnapshot): Finding[] {
  const renewable = loginState(snapshot);
  const { renewal } = snapshot;
  const why = renewable.ok
    ? renewal?.code === 'GRANT_REVOKED' && renewal.stopped
      ? renewal.message
      : undefined
    : renewable.reason;
  if (why === undefined) return [ok(what, 'a login was made')];
  return [wrong(what, `${why}; fix: run this as root: ${loginCommand(name)}`)];
}
