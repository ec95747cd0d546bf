// Issues the tokens that members of CREDMON_TOKEN_GROUP ask the daemon for.
import { CodedError, isCoded } from '@credmon/core/base';
import type { Log } from '@credmon/core/log';
import type { Memberships } from '../host/accounts.ts';
import {
  issueOne,
  type IssuancePorts,
  auditText,
  checkWish,
  type IssuedToken,
} from '../issuance/issue.ts';
import { issuerOrigin } from '../providers/client/credentials.ts';
import { issuedEntry } from '../report/audit-report.ts';
import { tokenResultText, type TokenRequest, type Asker } from '../requests/request.ts';
import { createUserQueues } from '../requests/limits.ts';
import type { Settings } from '../settings/read.ts';
import { tokenSourceIn, type TokenSource } from '../settings/token-source.ts';
import type { Limiter } from '../throttle/limiter.ts';

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
