// Takes the requests of users: decides who may ask for a renewal, and issues the tokens that
// members of CREDMON_TOKEN_GROUP ask for.
import { CodedError, isCoded } from '@credmon/core/base';
import { tokenId } from '@credmon/core/credential';
import type { Log } from '@credmon/core/log';
import type { Memberships } from '../host/accounts.ts';
import type { RequestBox, RequestBoxOptions } from '../host/request-box.ts';
import {
  issueOne,
  type IssuancePorts,
  auditText,
  checkWish,
  type IssuedToken,
} from '../issuance/issue.ts';
import { issuerOrigin } from '../providers/client/credentials.ts';
import { STANDING } from '../providers/standing/ports.ts';
import { issuedEntry } from '../report/audit-report.ts';
import type { AskedRenewals } from '../requests/asked.ts';
import { createUserQueues } from '../requests/limits.ts';
import {
  refusal,
  resultText,
  tokenResultText,
  type Asker,
  type RenewalRequest,
  type TokenRequest,
} from '../requests/request.ts';
import type { Settings } from '../settings/read.ts';
import { tokenSourceIn, type TokenSource } from '../settings/token-source.ts';
import type { Accounts } from '../status/publisher.ts';
import type { Limiter } from '../throttle/limiter.ts';
import type { DaemonParts } from './loop.ts';

/**
 * What taking requests needs: `askers` are the accounts of users who ask, and `isUser` says
 * whether a name has a directory in the credential directory. Without `tokens` none are
 * issued on request.
 */
export interface TakerOptions {
  readonly settings: () => Settings;
  readonly askers: Accounts;
  readonly isUser: (name: string) => boolean;
  readonly tokens?: Pick<TokenRequestOptions, 'memberships' | 'audit' | 'self'> &
    Pick<IssuancePorts, 'local' | 'secretVersion'>;
}

/**
 * Returns what admits requests: those of root and of the token's owner are asked for,
 * others are rejected. The requests of one user are admitted one at a time, in order, and
 * never wait for those of another user.
 */
function admissionOf(
  { log, wake }: DaemonParts,
  who: Pick<TakerOptions, 'askers' | 'isUser'>,
  asked: AskedRenewals,
  reject: (request: RenewalRequest, why: string) => void,
): (request: RenewalRequest) => void {
  const queue = createUserQueues();
  const admit = async (request: RenewalRequest): Promise<void> => {
    const why = await whyForbidden(who, request);
    const text = `Renewal of ${tokenId(request)} requested by user id ${request.uid}`;
    if (why === undefined) {
      log.info(text);
      asked.ask(request);
      wake.notify();
    } else {
      log.info(`${text} is rejected: ${why}`);
      reject(request, why);
    }
  };
  return (request) => queue(request.uid, () => admit(request));
}

/** What takes the requests of users. */
export type Takers = Pick<RequestBoxOptions, 'take' | 'takeToken'>;

/**
 * Returns what takes requests. Results go into the box, while it is open.
 */
export function takersOf(
  parts: DaemonParts,
  options: TakerOptions,
  asked: AskedRenewals,
  box: () => RequestBox | undefined,
): Takers {
  const { clock } = parts.context;
  return {
    take: admissionOf(parts, options, asked, (request, why) =>
      box()?.answer(request, resultText(refusal(why, clock.now()))),
    ),
    takeToken: tokenRequestsOf(parts, options, (...result) => box()?.answer(...result)),
  };
}

/** Returns what issues tokens on request, if this daemon does. */
function tokenRequestsOf(
  { context, log }: DaemonParts,
  { settings, tokens }: TakerOptions,
  answer: TokenRequestOptions['answer'],
): RequestBoxOptions['takeToken'] {
  if (!tokens) return undefined;
  const { local, secretVersion: version, ...rights } = tokens;
  const { send, readSecret, clock, limiter } = context;
  const ports = { local, secretVersion: version, send, readSecret, now: () => clock.now() };
  return createTokenRequests({ settings, ports, log, limiter, answer, ...rights });
}

/** Returns why a request is not granted; `undefined` for root and the token's owner. */
async function whyForbidden(
  { askers, isUser }: Pick<TakerOptions, 'askers' | 'isUser'>,
  { user, uid }: RenewalRequest,
): Promise<string | undefined> {
  if (uid === 0) return undefined;
  // A user can invent any number of names whose look-up takes long.
  if (!isUser(user))
    return user === STANDING ? 'only root may ask for it' : 'there is no such token';
  await askers.lookUp([user]);
  const account = askers.known(user);
  if (account === undefined) return `the account ${user} cannot be looked up now; ask again later`;
  return account !== 'none' && account.uid === uid
    ? undefined
    : `only root and ${user} may ask for it`;
}

// Tokens.

/**
 * What issuing needs. `audit` writes a line to the log and returns whether it is there;
 * `limiter` is that of the renewals; `self`: the user id of the daemon.
 */
export interface TokenRequestOptions {
  readonly settings: () => Settings;
  readonly memberships: Memberships;
  readonly ports: IssuancePorts;
  readonly log: Log;
  readonly audit: (text: string) => boolean;
  readonly limiter: Limiter;
  readonly self: number;
  /** Gives a result, which may have a token, to the user who asked. */
  readonly answer: (asker: Asker, text: string, kind: 'token') => void;
}

/**
 * Returns a function that takes requests. Those of one user are answered one at a time, in
 * order, and never wait for those of another user. Each token is one line in the log
 * before it is given away; without the line it is discarded.
 */
export function createTokenRequests(options: TokenRequestOptions): (request: TokenRequest) => void {
  const { log, audit, answer } = options;
  const queue = createUserQueues();
  const work = async (request: TokenRequest): Promise<void> => {
    try {
      const issued = await issue(request, options);
      const [to, who] = [harmless(request.to), `user id ${request.uid}`];
      if (!audit(auditText(issued, to, who)))
        throw new CodedError('LOG_UNWRITABLE', 'the token is discarded: it cannot be logged');
      log.record?.(issuedEntry(issued, to, who));
      answer(request, tokenResultText({ kind: 'issued', issued }), 'token');
    } catch (error) {
      const { code, message } = coded(error);
      log.info(`A token requested by user id ${request.uid} is refused: ${message}`);
      answer(request, tokenResultText({ kind: 'refused', code, message }), 'token');
    }
  };
  return (request) => queue(request.uid, () => work(request));
}

async function issue(
  { id, uid, wish }: TokenRequest,
  { settings: now, memberships, ports, limiter, self }: TokenRequestOptions,
): Promise<IssuedToken> {
  const settings = now();
  if (uid !== 0 && uid !== self) await requireMember(uid, settings.tokens.group, memberships);
  checkWish(wish);
  const source = tokenSourceIn(settings, wish.provider);
  const issuing = (): Promise<IssuedToken> => issueOne(wish, source, settings, ports);
  return source.kind === 'signed' ? issuing() : inTurn(limiter, source, { id, uid }, issuing);
}

/**
 * Issues a token in the queue of its issuer, as a renewal: with the limit of requests and
 * the circuit breaker. Users take turns.
 * @throws the error of `issuing`; the last error of an issuer that is not asked now;
 * CodedError `ISSUER_BUSY` when the daemon stops
 */
async function inTurn(
  limiter: Limiter,
  { client }: Extract<TokenSource, { kind: 'fetched' }>,
  { id, uid }: Pick<TokenRequest, 'id' | 'uid'>,
  issuing: () => Promise<IssuedToken>,
): Promise<IssuedToken> {
  let result: (() => IssuedToken) | undefined;
  const throwing = (error: unknown) => () => {
    throw error;
  };
  await limiter.add({
    issuer: issuerOrigin(client),
    // No name of an account: a user's requests and renewals take turns, too.
    user: `user id ${uid}`,
    id: id,
    deadline: Number.POSITIVE_INFINITY,
    run: async () => {
      try {
        const issued = await issuing();
        result = () => issued;
        return undefined;
      } catch (error) {
        result = throwing(error);
        return coded(error);
      }
    },
    skip: ({ code, message, fields }, seconds) => {
      const again = `; ask again in ${Math.ceil(seconds)} s`;
      result = throwing(new CodedError(code, `${message}${again}`, fields));
    },
  });
  if (result) return result();
  throw new CodedError('ISSUER_BUSY', 'the daemon is stopping; ask again when it runs');
}

/** @throws CodedError `USER_REFUSED` */
async function requireMember(
  uid: number,
  group: string | undefined,
  { idOf, groupsOf }: Memberships,
): Promise<void> {
  const refused = (why: string): CodedError => new CodedError('USER_REFUSED', why);
  if (group === undefined)
    throw refused(
      'only root may issue a token; CREDMON_TOKEN_GROUP allows it to the members of a group',
    );
  const [gid, groups] = await Promise.all([idOf(group), groupsOf(uid)]);
  if (gid === undefined || groups === undefined)
    throw refused('the name service does not answer; ask again later');
  if (gid !== 'none' && groups.has(gid)) return;
  const missing = gid === 'none' ? ' (there is no such group)' : '';
  throw refused(`only root and the members of the group ${group}${missing} may issue a token`);
}

/** An error without a code is a bug; its text may contain anything. */
function coded(error: unknown): CodedError {
  if (isCoded(error)) return error;
  const name = error instanceof Error ? error.name : typeof error;
  return new CodedError('TOKEN_KEY_UNREADY', `unexpected ${name}`);
}

/** A user writes this text: it must not look like another line of the log. */
function harmless(to: string): string {
  return /^[ -~]{1,512}$/.test(to) ? to : '[...]';
}
