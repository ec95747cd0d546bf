// Writes how a login or a question ended into the flow's log.
import { isCoded, messageOf, systemCode } from '@credmon/core/base';
import type { Desk } from './desk.ts';
import { foldFlow, nextFlow, type Flow, type FlowEvent } from './flow.ts';

/**
 * Writes down how a login ended. What happened in the credential directory counts even
 * where no note of it can be kept.
 */
export async function note(
  { ports }: Desk,
  id: string,
  flow: Flow,
  event: FlowEvent,
): Promise<Flow> {
  let after: Flow | undefined;
  try {
    after = foldFlow(await ports.flows.append(id, event));
  } catch (error) {
    const why = isCoded(error) ? messageOf(error) : (systemCode(error) ?? 'unknown');
    ports.log.warn(`no note could be kept of a login of ${flow.localUser} (${event.type}): ${why}`);
  }
  return after ?? nextFlow(flow, event) ?? flow;
}
