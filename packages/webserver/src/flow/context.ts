// What every step of the flow needs at hand: settings, ports, and the flow of a session.
import { createHash } from 'node:crypto';
import { CodedError, isCoded, messageOf, systemCode } from '@credmon/core/base';
import type { Ports } from './ports.ts';
import type { Settings } from '../settings/settings.ts';
import { foldFlow, liveLogins, nextFlow, withStored, type Flow, type FlowEvent } from './flow.ts';

/** Settings and ports together. */
export interface PortalContext {
  readonly settings: Settings;
  readonly ports: Ports;
}

/**
 * The flow of a session; `undefined` when none was opened, or it is older than the
 * absolute time-out.
 * @throws CodedError `CRED_FILE_IO` when the credential directory does not say what is
 * stored; the system's error
 */
export async function currentFlow(
  { settings, ports }: PortalContext,
  id: string | undefined,
): Promise<Flow | undefined> {
  if (id === undefined) return undefined;
  const flow = foldFlow(await ports.flows.read(id));
  if (!flow || ports.clock.now() - flow.openedAt >= settings.sessionSeconds) return undefined;
  return withStored(flow, (stem) => ports.files.hasToken(flow.localUser, stem));
}

/** The flow of a session that must have one. @throws CodedError `LOGIN_EXPIRED` */
export async function requireFlow(context: PortalContext, id: string | undefined): Promise<Flow> {
  const flow = await currentFlow(context, id);
  if (flow) return flow;
  throw new CodedError('LOGIN_EXPIRED', 'the browser has no open session, or it took too long');
}

/**
 * True when a sign-in of this flow is at its issuer, or its return is under way: the
 * session's id must then stay.
 */
export function hasLiveLogins({ settings, ports }: PortalContext, flow: Flow | undefined): boolean {
  return (
    flow !== undefined && liveLogins(flow, ports.clock.now(), settings.loginSeconds).length > 0
  );
}

/**
 * Appends an event to the flow's log and returns the flow after it. An event that cannot
 * be stored still counts for this request: the files in the credential directory decide.
 */
export async function recordEvent(
  { ports }: PortalContext,
  id: string,
  flow: Flow,
  event: FlowEvent,
): Promise<Flow> {
  let after: Flow | undefined;
  try {
    after = foldFlow(await ports.flows.append(id, event));
  } catch (error) {
    const why = isCoded(error) ? messageOf(error) : (systemCode(error) ?? 'unknown');
    ports.log.warn(
      `failed to record an event of ${flow.localUser}'s session (${event.type}): ${why}`,
    );
  }
  return after ?? nextFlow(flow, event) ?? flow;
}

/** A new name that nobody guesses: 192 bits, base64url. */
export function newSecret({ ports }: PortalContext): string {
  return Buffer.from(ports.random(24)).toString('base64url');
}

/** The length of the owner's mark that ids begin with. */
const MARK_LENGTH = 16;

/**
 * A new id of a flow: it begins with a mark of the local user, by which stores count how
 * much each user has open.
 */
export function newFlowId(context: PortalContext, localUser: string): string {
  return (
    createHash('sha256').update(localUser).digest('hex').slice(0, MARK_LENGTH) + newSecret(context)
  );
}

/**
 * The owner's mark of a flow's or session's id, 16 hex digits; of ids that belong to
 * nobody it is all zeros.
 */
export function ownerMark(id: string | undefined): string {
  const mark = id?.slice(0, MARK_LENGTH) ?? '';
  return /^[0-9a-f]{16}$/.test(mark) ? mark : '0'.repeat(MARK_LENGTH);
}
