// What one fsync serves, when it starts, and whom its error stops.
import { closeSync, mkdtempSync, openSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openForSync } from '../../src/base/files/atomic-write.ts';
import { createSyncGroup, type SyncGroup } from '../../src/store/sync-group.ts';

let root: string;
let open: number[];
let held: { readonly descriptor: number; readonly end: (error?: Error) => void }[];
let synced: number[];
let group: SyncGroup;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'credmon-sync-'));
  [open, held, synced] = [[], [], []];
  group = createSyncGroup((descriptor) => {
    synced.push(descriptor);
    return new Promise((resolve, reject) => {
      held.push({ descriptor, end: (error) => (error ? reject(error) : resolve()) });
    });
  });
});
afterEach(() => {
  for (const descriptor of open) closeSync(descriptor);
});

function file(name: string): number {
  writeFileSync(join(root, name), name);
  const descriptor = openSync(join(root, name), 'r');
  open.push(descriptor);
  return descriptor;
}

function directory(): number {
  const descriptor = openForSync(root);
  open.push(descriptor);
  return descriptor;
}

/** Ends the fsyncs that run, one with an error. */
function endRound(failing?: number): void {
  for (const { descriptor, end } of held.splice(0))
    end(descriptor === failing ? new Error('EIO: injected') : undefined);
}

const running = (): number[] => held.map(({ descriptor }) => descriptor);

describe('a group of syncs', () => {
  it('the fsync of each file starts at once', async () => {
    const files = [file('a'), file('b'), file('c')];
    const done = files.map((one) => group.file(one));
    expect(running()).toEqual(files);
    endRound();
    await Promise.all(done);
    expect(synced).toEqual(files);
  });

  it('one fsync of a directory serves all renames made before it began, none made later', async () => {
    const [busy, one, other, late] = [directory(), directory(), directory(), directory()];
    const first = group.directory(busy);
    await expect.poll(running).toEqual([busy]);
    const early = [group.directory(one), group.directory(other)];
    expect(running()).toEqual([busy]);
    endRound();
    await first;
    await expect.poll(running).toEqual([one]);
    const last = group.directory(late);
    endRound();
    await Promise.all(early);
    await expect.poll(running).toEqual([late]);
    endRound();
    await last;
    expect(synced).toEqual([busy, one, late]);
  });

  it('renames of one turn of the event loop share an fsync of their directory', async () => {
    const all = [directory(), directory(), directory()];
    const done = all.map((one) => group.directory(one));
    await expect.poll(running).toEqual([all[0]]);
    endRound();
    await Promise.all(done);
    expect(synced).toEqual([all[0]]);
  });

  it('R13 an error of one file stops only its own change', async () => {
    const [good, bad] = [file('b'), file('c')];
    const fates = Promise.allSettled([group.file(good), group.file(bad)]);
    expect(running()).toEqual([good, bad]);
    endRound(bad);
    expect((await fates).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    const next = group.file(good);
    expect(running()).toEqual([good]);
    endRound();
    await next;
  });

  it('R13 an error of a directory stops those who waited for it, and no later one', async () => {
    const [busy, bad, other, late] = [directory(), directory(), directory(), directory()];
    const first = group.directory(busy);
    await expect.poll(running).toEqual([busy]);
    const fates = Promise.allSettled([group.directory(bad), group.directory(other)]);
    endRound();
    await first;
    await expect.poll(running).toEqual([bad]);
    const last = group.directory(late);
    endRound(bad);
    expect((await fates).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect.poll(running).toEqual([late]);
    endRound();
    await last;
  });
});
