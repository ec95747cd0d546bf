// Flow logs: the contract of the port, and what a full disk may leave behind.
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FlowEvent } from '../../src/flow/flow.ts';
import { createFileFlows } from '../../src/session-store/file-flows.ts';
import { sessionPath } from '../../src/session-store/session-directory.ts';

let directory: string;
let now: number;
const clock = { now: () => now, steady: () => now, wait: async () => undefined };
const open = () => createFileFlows(directory, clock, 100);
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-flows-'));
  now = 1_800_000_000;
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const opened: FlowEvent = { type: 'opened', at: 1, key: 'k', localUser: 'alice', tokens: [], present: [] };
const failed = (state: string): FlowEvent => ({ type: 'failed', at: 2, state, code: 'LOGIN_REFUSED' });

describe('a flow log', () => {
  it('keeps events of all processes in one order', () => {
    const [one, two] = [open(), open()];
    expect(one.append('x', opened)).toEqual([opened]);
    expect(two.append('x', failed('a'))).toEqual([opened, failed('a')]);
    expect(one.append('x', failed('b'))).toEqual([opened, failed('a'), failed('b')]);
    expect(two.read('x')).toEqual([opened, failed('a'), failed('b')]);
    expect(two.read('y')).toEqual([]);
  });

  it('is begun by an opening only, and only once', () => {
    expect(open().append('x', failed('a'))).toEqual([]);
    expect(readdirSync(directory)).toEqual([]);
    open().append('x', opened);
    expect(() => open().append('x', opened)).toThrow('EEXIST');
  });

  it('ends some time after its last event', () => {
    open().append('x', opened);
    now += 99;
    open().append('x', failed('a'));
    now += 99;
    expect(open().read('x')).toHaveLength(2);
    now += 1;
    expect(open().read('x')).toEqual([]);
  });

  it('skips a fragment that a full disk left, and takes the next event whole', () => {
    open().append('x', opened);
    appendFileSync(sessionPath(directory, 'x', 'flow'), '\n{"type":"comple');
    expect(open().append('x', failed('a'))).toEqual([opened, failed('a')]);
  });

  it('is private', () => {
    open().append('x', opened);
    expect((statSync(sessionPath(directory, 'x', 'flow')).mode & 0o7777).toString(8)).toBe('600');
  });
});
