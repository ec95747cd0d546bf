// What every step of the flow needs at hand: settings, ports, and the flow of a session.
import { CodedError } from '@credmon/core/base';
import type { Ports } from '../ports.ts';
import type { Settings } from '../settings/settings.ts';
import { foldFlow, type Flow } from './flow.ts';

/** Settings and ports together. */
export interface Desk {
  readonly settings: Settings;
  readonly ports: Ports;
}

/** The flow of a session; `undefined` when none was opened, or it is older than the absolute time-out. */
export function currentFlow({ settings, ports }: Desk, id: string | undefined): Flow | undefined {
  if (id === undefined) return undefined;
  const flow = foldFlow(ports.flows.read(id));
  return flow && ports.clock.now() - flow.openedAt < settings.sessionSeconds ? flow : undefined;
}

/** The flow of a session that must have one. @throws CodedError `LOGIN_EXPIRED` */
export function requireFlow(desk: Desk, id: string | undefined): Flow {
  const flow = currentFlow(desk, id);
  if (flow) return flow;
  throw new CodedError('LOGIN_EXPIRED', 'the browser has no open session, or it took too long');
}

/** A new name that nobody guesses: 192 bits, base64url. */
export function newSecret({ ports }: Desk): string {
  return Buffer.from(ports.random(24)).toString('base64url');
}
