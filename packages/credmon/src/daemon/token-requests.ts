// Issues the tokens that members of CREDMON_TOKEN_GROUP ask the daemon for.
import { CodedError, isCoded } from '@credmon/core/base';
import type { Log } from '@credmon/core/log';
import type { Memberships } from '../host/memberships.ts';
import { issueOne, type IssuancePorts } from '../issuance/issue.ts';
import { auditText } from '../issuance/audit.ts';
import { checkWish, type IssuedToken } from '../issuance/request.ts';
import { tokenResultText, type TokenRequest, type Asker } from '../requests/token-request.ts';
import { createUserQueues } from '../requests/user-queues.ts';
import type { Settings } from '../settings/read.ts';
import { tokenSourceIn } from '../settings/token-source.ts';

/** What issuing needs. `self`: the user id of the daemon. */
export interface TokenRequestOptions {
  readonly settings: () => Settings;
  readonly memberships: Memberships;
  readonly ports: IssuancePorts;
  readonly log: Log;
  readonly self: number;
  /** Gives a result to the user who asked, for so many seconds. */
  readonly answer: (asker: Asker, text: string, keep: number) => void;
}

/** Seconds until the result, which may have a token, is removed. */
const KEEP_TOKEN = 30;

/**
 * Returns a function that takes requests. Those of one user are answered one at a time, in
 * order, and never wait for those of another user. Each token is one line in the log
 * before it is given away.
 */
export function createTokenRequests(options: TokenRequestOptions): (request: TokenRequest) => void {
  const { log, answer } = options;
  const queue = createUserQueues();
  const work = async (request: TokenRequest): Promise<void> => {
    try {
      const issued = await issue(request, options);
      log.warn(`Audit: ${auditText(issued, harmless(request.to), `user id ${request.uid}`)}`);
      answer(request, tokenResultText({ kind: 'issued', issued }), KEEP_TOKEN);
    } catch (error) {
      const { code, message } = coded(error);
      log.info(`A token requested by user id ${request.uid} is refused: ${message}`);
      answer(request, tokenResultText({ kind: 'refused', code, message }), KEEP_TOKEN);
    }
  };
  return (request) => queue(request.uid, () => work(request));
}

async function issue(
  { uid, wish }: TokenRequest,
  { settings: now, memberships, ports, self }: TokenRequestOptions,
): Promise<IssuedToken> {
  const settings = now();
  if (uid !== 0 && uid !== self) await requireMember(uid, settings.tokens.group, memberships);
  checkWish(wish);
  return issueOne(wish, tokenSourceIn(settings, wish.provider), settings, ports);
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
