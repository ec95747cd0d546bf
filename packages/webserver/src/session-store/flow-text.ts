// The text of a flow log, the same in every store: a JSON object in each line, and how
// long all of them may be.
import { isRecord, CodedError } from '@credmon/core/base';
import { FLOW_RESERVE_BYTES, MAX_FLOW_BYTES } from '../flow/limits.ts';
import type { FlowEvent } from '../flow/flow.ts';

/** The events of a log's text; what is not one is skipped. */
export function flowEvents(text: string): readonly FlowEvent[] {
  return text.split('\n').flatMap(parseLine);
}

function parseLine(line: string): FlowEvent[] {
  if (line === '') return [];
  try {
    const event: unknown = JSON.parse(line);
    return isRecord(event) && typeof event['type'] === 'string'
      ? [event as unknown as FlowEvent]
      : [];
  } catch {
    // Half an event of a full disk: what it said did not happen.
    return [];
  }
}

/**
 * Refuses an event after which the log would have `size` bytes, when that is too much.
 * @throws CodedError `SESSION_STORE_FULL`
 */
export function checkFlowSize({ type }: FlowEvent, size: number): void {
  if (size > maxFlowBytes(type)) throw longFlow();
}

/** The error for a log that is long enough. */
export function longFlow(): CodedError {
  return new CodedError(
    'SESSION_STORE_FULL',
    'this list has seen too many sign-ins; open the link from condor_submit again',
  );
}

/**
 * How large a log may be after an event of this type; logins that have begun may still
 * end.
 */
export function maxFlowBytes(type: FlowEvent['type']): number {
  return type === 'opened' || type === 'begun'
    ? MAX_FLOW_BYTES
    : MAX_FLOW_BYTES + FLOW_RESERVE_BYTES;
}
