// How much disk space is reserved, and what the log says of it.
import type { Reserve, ReserveKept } from '@credmon/core/store';
import { describe, expect, it } from 'vitest';
import { createReserveKeeper, reserveBytes } from '../../src/daemon/full-disk.ts';
import type { ConfiguredClient } from '../../src/settings/clients.ts';

const KIB = 1024;

describe('R13 the size of the reserve', () => {
  const things = <T>(count: number): T[] => Array.from({ length: count }, () => ({}) as T);
  const clients = (count: number) =>
    new Map(Array.from({ length: count }, (_, index) => [`c${index}`, clientOf(index)]));
  const clientOf = (index: number): ConfiguredClient =>
    ({ tokenUrl: `https://issuer${index}.example/token` }) as ConfiguredClient;

  it.each([
    ['no configured client', 16, 0, 0, 0, 384],
    ['one issuer', 16, 1, 0, 0, 384],
    ['one issuer with a low limit', 2, 1, 0, 0, 256],
    ['clients of all kinds', 16, 2, 1, 1, 4 * 384],
    ['more than the maximum', 1000, 50, 0, 0, 1024 * 24],
  ])('%s', (_, perIssuer, logins, exchanges, programs, kib) => {
    const settings = {
      perIssuer,
      clients: clients(logins),
      tokenClients: things<never>(exchanges),
      tokenPrograms: things<never>(programs),
    };
    expect(reserveBytes(settings, new Set())).toBe(kib * KIB);
  });

  it('counts the issuers of .meta files, and counts a configured one once', () => {
    const urls = [0, 1, 2].map((index) => `https://issuer${index}.example/token`);
    const settings = { perIssuer: 16, clients: clients(1), tokenClients: [], tokenPrograms: [] };
    expect(reserveBytes(settings, new Set(urls))).toBe(3 * 384 * KIB);
  });
});

describe('R44 the keeper of the reserve', () => {
  function keeperOf(answers: readonly ReserveKept[]) {
    const lines: string[] = [];
    const say = (text: string): void => void lines.push(text);
    const asked: number[] = [];
    const reserve: Reserve = {
      keep: async (bytes) => {
        asked.push(bytes);
        return answers[asked.length - 1] ?? { bytes };
      },
      release: () => true,
    };
    const log = { error: say, warn: say, info: say, debug: say };
    return { keeper: createReserveKeeper(reserve, () => 300, log), lines, asked };
  }

  it('logs once that the disk is full, and once that the space is reserved again', async () => {
    const { keeper, lines } = keeperOf([
      { bytes: 0, why: 'ENOSPC' },
      { bytes: 0, why: 'ENOSPC' },
    ]);
    for (let look = 0; look < 4; look += 1) {
      keeper.keep();
      await keeper.idle();
    }
    expect(lines).toEqual([
      'failed to reserve 300 bytes in .credmon-reserve (reserved: 0): ENOSPC; rotated refresh tokens can be lost if the daemon ends ' +
        'while the disk is full; fix: free space in the credential directory',
      'Disk space for rotated refresh tokens is reserved again: 300 bytes',
    ]);
  });

  it('makes one reserve at a time, and logs its release', async () => {
    const { keeper, lines, asked } = keeperOf([]);
    for (let look = 0; look < 3; look += 1) keeper.keep();
    await keeper.idle();
    expect([asked, keeper.release(), lines]).toEqual([
      [300],
      true,
      ['The disk is full: reserved space is released for rotated refresh tokens; fix: free space'],
    ]);
  });
});
