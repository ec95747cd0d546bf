// Discards the answers that another sign-in supersedes, and revokes their tokens if
// possible.
import { isCoded } from '@credmon/core/base';
import { recordEvent, type PortalContext } from './context.ts';
import type { Flow } from './flow-value.ts';
import { isComplete, withStored } from './flow.ts';
import { dropAnswers, readAnswer, type BrowserSession, type HeldAnswer } from './held-answer.ts';
import { readTokenRequest, type TokenRequest } from './read-request.ts';
import { REVOCATION_TEXTS, recordRevoked, revokeAnswer, type Unused } from './revoke-answer.ts';

/**
 * An answer that another sign-in has superseded. Without `unused`, nothing can be
 * revoked.
 */
export interface Superseded {
  readonly answer: string;
  readonly stem: string;
  readonly unused?: Unused | undefined;
}

/**
 * Finds the answers that a stored sign-in supersedes: older answers for the same token,
 * which are settled in `after` but not in `before`; if the list is complete, all waiting
 * answers, because the key file is used up.
 */
export async function findSuperseded(
  context: PortalContext,
  session: BrowserSession,
  before: Flow,
  after: Flow,
): Promise<readonly Superseded[]> {
  const known = before.settled.map(({ answer }) => answer);
  const older = after.settled.filter(
    ({ answer, outcome }) => outcome === 'superseded' && !known.includes(answer),
  );
  const complete = isComplete(withStored(after, context.ports.files.tokensOf(after.localUser)));
  // An answer that is being stored ends by itself.
  const waiting = complete ? after.pending.filter(({ claim }) => claim === undefined) : [];
  const found: Superseded[] = [];
  for (const { answer, stem } of [...older, ...waiting]) {
    const held = await readAnswer(context, session, answer);
    const request = held && requestOf(context, after, stem, held);
    const unused = held && request ? { answer, held, request } : undefined;
    found.push({ answer, stem, unused });
  }
  return found;
}

function requestOf(
  context: PortalContext,
  flow: Flow,
  stem: string,
  held: HeldAnswer,
): TokenRequest | undefined {
  try {
    return readTokenRequest(context, flow, stem, held.keyDigest);
  } catch (error) {
    if (isCoded(error)) return undefined;
    throw error;
  }
}

/**
 * Records that answers were superseded, removes and revokes them.
 * @param attempt the attempt that has claimed them, if any
 * @returns the new flow
 */
export async function settleSuperseded(
  context: PortalContext,
  session: BrowserSession,
  flow: Flow,
  answers: readonly Superseded[],
  attempt?: string,
): Promise<Flow> {
  const { ports } = context;
  const id = session.flow ?? '';
  let after = flow;
  for (const { answer, stem, unused } of answers) {
    const event = { type: 'superseded', answer, attempt } as const;
    after = await recordEvent(context, id, after, {
      ...event,
      at: ports.clock.now(),
      revoked: false,
    });
    // Another process is storing it or has settled it.
    if (!after.settled.some((one) => one.answer === answer && one.outcome === 'superseded'))
      continue;
    await dropAnswers(context, [{ answer }]);
    const result =
      unused === undefined ? 'left' : await revokeAnswer(context, session, after, unused);
    ports.log.info(
      `login of ${flow.localUser} for ${stem} not stored, because another login is; ${REVOCATION_TEXTS[result]}`,
    );
    recordRevoked(context, flow, stem, result, 'another sign-in is stored');
    if (result === 'left') continue;
    const how = result === 'shared' ? { revoked: false, shared: true } : { revoked: true };
    after = await recordEvent(context, id, after, { ...event, at: ports.clock.now(), ...how });
  }
  return after;
}
