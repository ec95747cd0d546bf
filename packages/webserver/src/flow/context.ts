// The context of every step of the flow: settings, ports, and the flow of a session.
import { createHash } from 'node:crypto';
import { CodedError, isCoded, messageOf, systemCode } from '@credmon/core/base';
import type { Ports } from './ports.ts';
import type { Settings } from '../settings/settings.ts';
import type { Flow, FlowEvent } from './flow-value.ts';
import { foldFlow, liveLogins, nextFlow, withStored } from './flow.ts';

/** Settings and ports together. */
export interface PortalContext {
  readonly settings: Settings;
  readonly ports: Ports;
}

/**
 * Returns the flow of a session; `undefined` if there is none, or it is older than the
 * absolute timeout.
 * @throws CodedError `CRED_FILE_IO` if the credential directory cannot be read; the error
 * of the session store
 */
export async function currentFlow(
  { settings, ports }: PortalContext,
  id: string | undefined,
): Promise<Flow | undefined> {
  if (id === undefined) return undefined;
  const flow = foldFlow(await ports.flows.read(id));
  if (!flow || ports.clock.now() - flow.openedAt >= settings.sessionSeconds) return undefined;
  return withStored(flow, ports.files.tokensOf(flow.localUser));
}

/**
 * Returns the flow of a session that must have one.
 * @throws CodedError `LOGIN_EXPIRED`
 */
export async function requireFlow(context: PortalContext, id: string | undefined): Promise<Flow> {
  const flow = await currentFlow(context, id);
  if (flow) return flow;
  throw new CodedError(
    'LOGIN_EXPIRED',
    'the session of this browser does not exist or has expired',
  );
}

/** True if a login of this flow is in progress. The session id must not change then. */
export function hasLiveLogins({ settings, ports }: PortalContext, flow: Flow | undefined): boolean {
  return (
    flow !== undefined && liveLogins(flow, ports.clock.now(), settings.loginSeconds).length > 0
  );
}

/**
 * Appends an event to the log of the flow and returns the new flow. If the event cannot
 * be stored, it still counts for this request: the files in the credential directory
 * decide.
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

/** Returns a new random name: 192 bits, base64url. */
export function newSecret({ ports }: PortalContext): string {
  return Buffer.from(ports.random(24)).toString('base64url');
}

/** The length of the owner tag at the beginning of an id. */
const TAG_LENGTH = 16;

/**
 * Returns a new flow id. It begins with a tag of the local user; the stores use it to
 * count the sessions of each user.
 */
export function newFlowId(context: PortalContext, localUser: string): string {
  return tagOf(localUser) + newSecret(context);
}

/** Returns the owner tag of a local user. */
export function tagOf(localUser: string): string {
  return createHash('sha256').update(localUser).digest('hex').slice(0, TAG_LENGTH);
}

/**
 * Returns the owner tag of a flow id or session id: 16 hex digits, all zeros for an id
 * without an owner.
 */
export function ownerTag(id: string | undefined): string {
  const tag = id?.slice(0, TAG_LENGTH) ?? '';
  return /^[0-9a-f]{16}$/.test(tag) ? tag : '0'.repeat(TAG_LENGTH);
}
