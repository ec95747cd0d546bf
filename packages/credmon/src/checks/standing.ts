// The check command's look at standing tokens: what will be written where, and what lies
// there now.
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { shellWord } from '@credmon/core/base';
import type { CredentialStore } from '@credmon/core/store';
import { ok, warning, wrong, type Finding } from './finding.ts';
import { shortestLifetime, withoutStarter, worstLife } from '../report/remaining-lifetime.ts';
import { withStanding } from '../providers/standing/store.ts';
import type { StandingToken } from '../settings/standing.ts';
import { standingFiles } from '../host/standing-files.ts';
import { lookAtKey } from './key.ts';
import { foreignScopes } from './local.ts';
import { writable } from './context.ts';
import type { CheckContext, Look } from './context.ts';

/** One look for each standing token. */
export function looksAtStanding(context: CheckContext): Look[] {
  return context.settings.standing.map((token) => {
    const what = `${token.name} (standing token)`;
    return { what, look: () => lookAtToken(what, token, context) };
  });
}

async function lookAtToken(
  what: string,
  token: StandingToken,
  context: CheckContext,
): Promise<Finding[]> {
  const common = [
    ok(what, doing(token)),
    lookAtPlace(what, token),
    await present(what, token, context),
  ];
  // Its client tells of its secret and issuer itself.
  if (token.kind === 'fetched') return common;
  const { issuer, lifetime, name } = token;
  const known = context.settings.local.issuers.some(({ service }) => service === issuer.service);
  const key = await lookAtKey(what, { ...issuer, lifetime }, context);
  return [
    ...common,
    ...foreignScopes(what, issuer.profile, token.scope.join(' ')),
    ...shortLifeOf(what, lifetime, name, context),
    // A provider that a list names tells of its key itself.
    ...(known ? key.filter(({ state }) => state === 'error') : key),
  ];
}

/** R18, without a starter: the service reads the token itself. */
function shortLifeOf(
  what: string,
  lifetime: number,
  name: string,
  { settings: { policy, ...settings } }: CheckContext,
): Finding[] {
  const habits = withoutStarter(settings);
  const left = worstLife(lifetime, policy, habits);
  if (left >= habits.floor) return [];
  const text = `its service may read it with only ${Math.max(0, left)} s left; set CREDMON_STANDING_${name}_LIFETIME to ${shortestLifetime(policy, habits)} or more`;
  return [warning(what, text)];
}

function doing(token: StandingToken): string {
  const { scope, audience, mode, owner, path, format } = token;
  const whom = audience.length === 0 ? '' : ` for ${audience.join(' ')}`;
  const whose = owner === undefined ? '' : ` of ${owner}`;
  const from =
    token.kind === 'signed'
      ? `${token.issuer.service} (${token.issuer.issuer})`
      : `${token.client.name}, fetched as ${token.client.clientId},`;
  const who = token.subject === undefined ? '' : `${token.subject}, `;
  const life = token.kind === 'signed' ? `, ${token.lifetime} s` : '';
  return `keeps a token of ${from} in ${path}: ${who}scopes "${scope.join(' ')}"${whom}${life}; ${format}, mode ${mode.toString(8).padStart(4, '0')}${whose}`;
}

function lookAtPlace(what: string, { path, owner }: StandingToken): Finding {
  const directory = dirname(path);
  const user = owner === undefined ? undefined : standingFiles().owner(owner);
  if (owner !== undefined && !user)
    return wrong(what, `there is no user ${owner} to give the token to`);
  if (!existsSync(directory))
    return wrong(
      what,
      `${directory} is missing; fix: install -d ${owner === undefined ? '' : `-o ${shellWord(owner)} `}-m 755 ${shellWord(directory)}`,
    );
  if (!writable(directory)) return wrong(what, `this process may not write to ${directory}`);
  const self = process.geteuid?.();
  if (user && self !== 0 && self !== user.uid)
    return wrong(
      what,
      `only root can give a file to ${owner ?? ''}, and this is user id ${self ?? 0}`,
    );
  return ok(what, `${directory} can be written to`);
}

const NOTHING = { ok: false, reason: 'is missing' } as const;

/** A credential directory without tokens: only the standing one is looked at. */
const NOWHERE: CredentialStore = {
  scan: async () => ({ tokens: [], keyFiles: [], temporaries: [], problems: [] }),
  read: () => ({ top: NOTHING, topIdentity: undefined, meta: NOTHING }),
  apply: () => undefined,
  settle: () => undefined,
};

/** What lies there, as the daemon judges it. */
async function present(
  what: string,
  token: StandingToken,
  { now }: CheckContext,
): Promise<Finding> {
  const { tokens } = await withStanding(NOWHERE, () => [token], standingFiles()).scan(now);
  const use = tokens[0]?.use ?? { kind: 'missing' };
  if (use.kind === 'missing') return warning(what, 'there is no token yet');
  if (use.kind === 'broken')
    return warning(what, `what lies there ${use.reason}, and will be replaced`);
  const left = Math.floor(use.value.expiresAt - now.wall);
  return left > 0
    ? ok(what, `the token there is good for ${left} s more`)
    : wrong(what, 'the token there has expired');
}
