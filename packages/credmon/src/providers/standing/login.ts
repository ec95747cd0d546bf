// Standing tokens that are renewed with the refresh token of a login: the provider of
// users' logins renews them, and this one writes them in their own format. Their `.top` also
// has the configuration that the login was made for.
import type { LoginStanding, StandingToken } from '../../settings/standing.ts';
import { rejectionOf } from '../common/outcomes.ts';
import type { Outcome, Provider } from '../common/provider.ts';
import { type OAuthOptions, oauthRefresh } from '../oauth/refresh.ts';
import { withRemaining, STANDING_LOGIN } from './ports.ts';
import { checkSubject } from './signed.ts';
import { fingerprintInput, provenanceWrite, sameWords } from './provenance.ts';
import { CodedError, isRecord } from '@credmon/core/base';
import {
  changedToken,
  type MetaContents,
  type Parsed,
  type TokenSnapshot,
  parseObject,
  parseTop,
  readableUse,
  scopeText,
} from '@credmon/core/credential';
import { GENERIC_POLICY } from '@credmon/core/profiles';
import type { TokenFiles, TokenWrite } from '@credmon/core/store';
import { createHash } from 'node:crypto';

/** The options of the provider of users' logins that are the same here. */
export type LoginOptions = Omit<OAuthOptions, 'clientOf' | 'policyOf' | 'specialNames'> & {
  readonly tokens: readonly StandingToken[];
};

/** Creates the provider. */
export function standingLogin({ tokens, ...options }: LoginOptions): Provider {
  const logins = tokens.flatMap((token) => (token.kind === 'login' ? [token] : []));
  const byName = new Map(logins.map((token) => [token.name, token]));
  const clients = new Map(
    logins.map(({ provider, client }) => {
      // The answer is needed whole, whatever format the tokens of jobs have.
      const policy = { ...client.policy, useJson: true };
      return [provider.toUpperCase(), { ...client, policy }] as const;
    }),
  );
  const renewer = oauthRefresh({
    ...options,
    specialNames: true,
    clientOf: (provider) => clients.get(provider.toUpperCase()),
    policyOf: (provider) => clients.get(provider.toUpperCase())?.policy ?? GENERIC_POLICY,
  });
  return {
    name: STANDING_LOGIN,
    renewable: loginState,
    basis: (snapshot) => {
      const token = byName.get(snapshot.stem);
      const own = token && [fingerprintInput(token), token.path, token.mode, token.owner];
      const input = JSON.stringify([own, token && renewer.basis(ofProvider(token, snapshot))]);
      return createHash('sha256').update(input).digest('base64url').slice(0, 22);
    },
    issuerOf: (snapshot) => {
      const token = byName.get(snapshot.stem);
      return token ? renewer.issuerOf(ofProvider(token, snapshot)) : '';
    },
    obtain: async (snapshot, files, context) => {
      const token = byName.get(snapshot.stem);
      const problem = token ? loginProblem(token, files.top) : 'it is no longer configured';
      if (!token || problem !== undefined)
        return failure(snapshot, new CodedError('CRED_FILE_INVALID', `${problem}`), context.now);
      const asUser = ofProvider(token, snapshot);
      const outcome = await renewer.obtain(asUser, filesFor(files), context);
      return ofStanding(token, outcome, snapshot, context.now);
    },
  };
}

/** Returns whether a login was made that fits the configuration; otherwise why not. */
export function loginState({ top, meta }: TokenSnapshot): Parsed<true> {
  const no = (reason: string): Parsed<true> => ({ ok: false, reason });
  if (top.kind === 'missing') return no('no login was made yet');
  if (top.kind === 'broken') return no(`its refresh token ${top.reason}`);
  // The store reports here what differs between the login and the configuration.
  if (meta.kind === 'broken') return no(meta.reason);
  return top.kind === 'unread' || top.value.refreshToken === 'present'
    ? { ok: true, value: true }
    : no('the login gave no refresh token');
}

/** The token as if it were a user's of the same provider. */
function ofProvider({ provider }: LoginStanding, snapshot: TokenSnapshot): TokenSnapshot {
  return changedToken(snapshot, { stem: provider, meta: { kind: 'missing' } });
}

/** The subject of the login, where the provider expects it. */
function filesFor(files: TokenFiles): TokenFiles {
  const meta: MetaContents = {
    client_id: '',
    client_secret: '',
    token_url: '',
    use_refresh_token: true,
    subject: subjectOfLogin(files.top),
  };
  return { ...files, meta: { ok: true, value: meta } };
}

/** Returns the outcome with the token in its own format, or with its own name. */
function ofStanding(
  token: LoginStanding,
  outcome: Outcome,
  snapshot: TokenSnapshot,
  now: number,
): Outcome {
  if (outcome.kind !== 'issued') {
    const error = named(outcome.error, token, snapshot);
    return { ...outcome, error: withRemaining(error, snapshot, now) };
  }
  const tops = outcome.writes.filter(({ kind }) => kind === 'top');
  try {
    const uses = outcome.writes.flatMap((write) =>
      write.kind === 'use' ? [inFormat(token, write, now)] : [],
    );
    return { ...outcome, writes: [...tops, provenanceWrite(token, outcome.times), ...uses] };
  } catch (error) {
    const rejected = failure(snapshot, error, now);
    return tops.length === 0 ? rejected : { ...rejected, writes: tops };
  }
}

/** @throws CodedError `ISSUER_ANSWER_INVALID` */
function inFormat(token: LoginStanding, write: TokenWrite, now: number): TokenWrite {
  const object = parseObject(write.text ?? '');
  const accessToken = String(object.ok ? object.value['access_token'] : '');
  checkSubject(token, accessToken);
  if (token.format === 'json') return write;
  const { provider, defaultLifetime } = token;
  return { ...write, text: readableUse(`${accessToken}\n`, { provider, now, defaultLifetime }) };
}

/** An error of the provider of users' logins names the token by the provider. */
function named(
  { code, message, fields }: CodedError,
  { provider }: LoginStanding,
  { user, stem }: TokenSnapshot,
): CodedError {
  return new CodedError(
    code,
    message.replace(`${user}/${provider}: `, `${user}/${stem}: `),
    fields,
  );
}

function failure(
  snapshot: TokenSnapshot,
  error: unknown,
  now: number,
): Exclude<Outcome, { kind: 'issued' | 'gone' }> {
  const rejection = rejectionOf(snapshot, error);
  return { ...rejection, error: withRemaining(rejection.error, snapshot, now) };
}

/** Who logged in, and when (epoch seconds). */
interface LoginFacts {
  readonly refreshToken: string;
  /** The `sub` of the verified ID token, if there was one. */
  readonly subject: string | undefined;
  readonly at: number;
}

/** The member of `.top` with the configuration of the login. */
const MEMBER = 'standing';

/** Returns the text of `.top` after a login. It contains a secret. */
export function topOfLogin(
  { provider, client, scope, audience }: LoginStanding,
  { refreshToken, subject, at }: LoginFacts,
): string {
  const top = {
    refresh_token: refreshToken,
    ...(scope.length === 0 ? {} : { scopes: scope.join(' ') }),
    ...(audience.length === 0 ? {} : { audience: audience.join(' ') }),
    [MEMBER]: {
      provider,
      client_id: client.clientId,
      issuer: client.policy.issuer,
      subject,
      signed_in_at: Math.floor(at),
    },
  };
  return `${JSON.stringify(top)}\n`;
}

/**
 * Returns why the login cannot be used for the token as it is configured now, as a clause;
 * `undefined` if it can. A refresh token of one provider is never sent to another.
 */
export function loginProblem(token: LoginStanding, top: Parsed<string>): string | undefined {
  const contents = top.ok ? parseTop(top.value) : top;
  if (!contents.ok) return `its refresh token ${contents.reason}`;
  const { provider, client, scope, audience } = token;
  const login = contents.value[MEMBER];
  if (!isRecord(login)) return 'its .top is not from "condor_credmon standing login"';
  const { issuer } = client.policy;
  const changes: readonly (readonly [boolean, string])[] = [
    [login['provider'] !== provider, 'another provider'],
    [login['client_id'] !== client.clientId, 'another client'],
    [issuer !== undefined && (login['issuer'] ?? issuer) !== issuer, 'another issuer'],
    [!sameWords(scopeText(contents.value.scopes ?? '') ?? '', scope), 'other scopes'],
    [!sameWords(scopeText(contents.value.audience ?? '') ?? '', audience), 'another audience'],
  ];
  const changed = changes.flatMap(([isChanged, what]) => (isChanged ? [what] : []));
  return changed.length === 0
    ? undefined
    : `the login was made with ${changed.join(' and ')} than configured`;
}

/** Returns the subject of the login, if it is known. */
function subjectOfLogin(top: Parsed<string>): string | undefined {
  const contents = top.ok ? parseTop(top.value) : top;
  const login = contents.ok ? contents.value[MEMBER] : undefined;
  const subject = isRecord(login) ? login['subject'] : undefined;
  return typeof subject === 'string' ? subject : undefined;
}
