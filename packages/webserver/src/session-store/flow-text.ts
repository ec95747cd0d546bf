// The text of a flow log, the same in every store: a JSON object per line, and the
// largest size.
import { isRecord, CodedError } from '@credmon/core/base';
import { FLOW_RESERVE_BYTES, MAX_FLOW_BYTES } from '../flow/flow.ts';
import type { FlowEvent } from '../flow/flow-value.ts';

/** Parses the events of a log; invalid lines are skipped. */
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
    // A part of an event, written when the disk was full. This event did not happen.
    return [];
  }
}

/**
 * Rejects an event if the log would be too large after it; `size` is its new size in
 * bytes.
 * @throws CodedError `SESSION_STORE_FULL`
 */
export function checkFlowSize({ type }: FlowEvent, size: number): void {
  if (size > maxFlowBytes(type)) throw flowFull();
}

/** Creates the error for a full log. */
export function flowFull(): CodedError {
  return new CodedError(
    'SESSION_STORE_FULL',
    'too many sign-ins in this list; open the link from condor_submit again',
  );
}

/**
 * Returns the largest size of a log after an event of this type, in bytes. Logins in
 * progress may still finish.
 */
export function maxFlowBytes(type: FlowEvent['type']): number {
  return type === 'opened' || type === 'begun'
    ? MAX_FLOW_BYTES
    : MAX_FLOW_BYTES + FLOW_RESERVE_BYTES;
}
