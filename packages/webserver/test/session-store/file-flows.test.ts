// Flow logs as files: modes, and full disks. The suite of all stores runs in
// file-sessions.test.ts.
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import type * as FileSystem from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FlowLog } from '../../src/flow/ports.ts';
import { createFileFlows } from '../../src/session-store/file-stores.ts';
import { sessionPath } from '../../src/session-store/session-directory.ts';
import { failedFlow, openedFlow } from './contract.ts';

/** The result of a write; `undefined` succeeds. */
const disk = vi.hoisted(() => ({ fault: undefined as string | number | undefined }));
vi.mock('node:fs', async (load) => {
  const real = await load<typeof FileSystem>();
  const writeSync = (descriptor: number, bytes: Uint8Array): number => {
    if (typeof disk.fault === 'string')
      throw Object.assign(new Error(`${disk.fault}: write`), { code: disk.fault });
    return real.writeSync(descriptor, bytes.subarray(0, disk.fault));
  };
  return { ...real, writeSync };
});

let directory: string;
let now: number;
const clock = { now: () => now, steady: () => now, wait: async () => undefined };
const open = (): FlowLog =>
  createFileFlows(directory, clock, { idle: 100, absolute: 100, answer: 60, count: 10 });
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-flows-'));
  now = 1_800_000_000;
  disk.fault = undefined;
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('a flow file', () => {
  it('skips a fragment from a full disk, and stores the next event as a whole', async () => {
    await open().append('x', openedFlow);
    appendFileSync(sessionPath(directory, 'x', 'flow'), '\n{"type":"comple');
    expect(await open().append('x', failedFlow('a'))).toEqual([openedFlow, failedFlow('a')]);
  });

  it('is private', async () => {
    await open().append('x', openedFlow);
    expect((statSync(sessionPath(directory, 'x', 'flow')).mode & 0o7777).toString(8)).toBe('600');
  });

  it.each([['ENOSPC'], ['EDQUOT'], [7]])(
    'R41 is not left empty or incomplete by a full disk (%s)',
    async (fault) => {
      disk.fault = fault;
      await expect(open().append('x', openedFlow)).rejects.toMatchObject({
        code: 'SESSION_STORE_FULL',
      });
      expect(readdirSync(directory)).toEqual([]);
    },
  );

  it('is not left empty by another disk error, which is passed on', async () => {
    disk.fault = 'EIO';
    await expect(open().append('x', openedFlow)).rejects.toThrow('EIO');
    expect(readdirSync(directory)).toEqual([]);
  });

  it('R41 keeps its events if the disk is full at a later event', async () => {
    await open().append('x', openedFlow);
    disk.fault = 'ENOSPC';
    await expect(open().append('x', failedFlow('a'))).rejects.toMatchObject({
      code: 'SESSION_STORE_FULL',
    });
    expect(await open().read('x')).toEqual([openedFlow]);
  });
});
