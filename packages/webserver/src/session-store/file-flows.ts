// Flow logs as files of JSON lines. Each append is one write, so that all processes see
// the events in the same order.
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { removeSync } from 'fs-extra/esm';
import { CodedError, systemCode, type Clock } from '@credmon/core/base';
import type { FlowEvent } from '../flow/flow.ts';
import type { FlowLog } from '../flow/ports.ts';
import { checkFlowSize, flowEvents } from './flow-text.ts';
import { makeRoom, needingSpace, sessionPath, type SessionLimits } from './session-directory.ts';

/**
 * Stores flow logs in `directory`. They are readable for `limits.absolute` seconds after
 * the last event.
 */
export function createFileFlows(directory: string, clock: Clock, limits: SessionLimits): FlowLog {
  const pathOf = (id: string): string => sessionPath(directory, id, 'flow');
  const read = (id: string): readonly FlowEvent[] => {
    const path = pathOf(id);
    try {
      if (clock.now() - statSync(path).mtimeMs / 1000 >= limits.absolute) return [];
      return flowEvents(readFileSync(path, 'utf8'));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    }
  };
  const append = (id: string, event: FlowEvent): readonly FlowEvent[] => {
    const path = pathOf(id);
    const now = clock.now();
    if (event.type === 'opened') {
      makeRoom(directory, id, 'flow', now, limits);
      begin(path, event);
    } else if (!extend(path, event)) return [];
    utimesSync(path, now, now);
    return read(id);
  };
  return {
    read: async (id) => read(id),
    append: async (id, event) => append(id, event),
    remove: async (id) => removeSync(pathOf(id)),
  };
}

/**
 * Creates a log. The file is removed again if its first event does not fit on the disk.
 */
function begin(path: string, event: FlowEvent): void {
  const descriptor = needingSpace(() => openForAppend(path, constants.O_CREAT | constants.O_EXCL));
  try {
    writeEvent(descriptor, event);
  } catch (error) {
    removeSync(path);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** Appends to a log. Returns false if there is no such log. */
function extend(path: string, event: FlowEvent): boolean {
  let descriptor: number;
  try {
    descriptor = openForAppend(path, 0);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
  try {
    writeEvent(descriptor, event);
  } finally {
    closeSync(descriptor);
  }
  return true;
}

function openForAppend(path: string, create: number): number {
  return openSync(
    path,
    constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | create,
    0o600,
  );
}

function writeEvent(descriptor: number, event: FlowEvent): void {
  const bytes = Buffer.from(`\n${JSON.stringify(event)}\n`);
  checkFlowSize(event, fstatSync(descriptor).size + bytes.length);
  const written = needingSpace(() => writeSync(descriptor, bytes));
  // Only a part was written. The next event begins with a line feed, so that readers
  // ignore the fragment.
  if (written !== bytes.length)
    throw new CodedError(
      'SESSION_STORE_FULL',
      'disk full: an event was only partly written to the session directory',
    );
}
