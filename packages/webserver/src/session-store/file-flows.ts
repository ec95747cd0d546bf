// Flow logs as files of JSON lines: an append is one write, so that the kernel puts those of all processes in one order.
import { closeSync, constants, openSync, readFileSync, statSync, utimesSync, writeSync } from 'node:fs';
import { isRecord } from '@credmon/core';
import { systemCode, type Clock } from '@credmon/core/base';
import type { FlowEvent } from '../flow/flow.ts';
import type { FlowLog } from '../ports.ts';
import { sessionPath } from './session-directory.ts';

/** Flow logs in `directory`, which stay readable for `seconds` after the last event. */
export function createFileFlows(directory: string, clock: Clock, seconds: number): FlowLog {
  const read = (id: string): readonly FlowEvent[] => {
    const path = sessionPath(directory, id, 'flow');
    try {
      if (clock.now() - statSync(path).mtimeMs / 1000 >= seconds) return [];
      return readFileSync(path, 'utf8').split('\n').flatMap(parseLine);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    }
  };
  return {
    read,
    append(id, event) {
      const path = sessionPath(directory, id, 'flow');
      const create = event.type === 'opened' ? constants.O_CREAT | constants.O_EXCL : 0;
      const now = clock.now();
      try {
        appendLine(path, create, `\n${JSON.stringify(event)}\n`);
        utimesSync(path, now, now);
      } catch (error) {
        if (systemCode(error) === 'ENOENT' && create === 0) return [];
        throw error;
      }
      return read(id);
    },
  };
}

function appendLine(path: string, create: number, line: string): void {
  const descriptor = openSync(
    path,
    constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | create,
    0o600,
  );
  try {
    const bytes = Buffer.from(line);
    const written = writeSync(descriptor, bytes);
    // The rest cannot follow in one piece; the next event begins with a line feed, and no reader takes the fragment for one.
    if (written !== bytes.length) throw new Error('the disk took only a part of an event');
  } finally {
    closeSync(descriptor);
  }
}

function parseLine(line: string): FlowEvent[] {
  if (line === '') return [];
  try {
    const event: unknown = JSON.parse(line);
    return isRecord(event) && typeof event['type'] === 'string' ? [event as unknown as FlowEvent] : [];
  } catch {
    // Half an event of a full disk: what it said did not happen.
    return [];
  }
}
