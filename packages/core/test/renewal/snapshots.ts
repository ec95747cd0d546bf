// Snapshots for tests: a valid token, with changes by each test.
import type {
  FileIdentity,
  FileState,
  Instant,
  TokenSnapshot,
} from '../../src/credential/snapshot.ts';
import type { TokenTimes } from '../../src/credential/times.ts';
import { DEFAULT_POLICY } from '../../src/renewal/policy.ts';
import type { ManagedToken } from '../../src/renewal/plan.ts';

/** The default time of tests. */
export const NOW: Instant = { wall: 1_800_000_000, steady: 5000 };

/** The identity of a file written at `mtime`. */
export const written = (mtime: number): FileIdentity => ({ ino: 1, mtime, size: 100 });

/** A `.use` with these times. */
export const useOf = (value: TokenTimes, mtime = value.issuedAt): FileState<TokenTimes> => ({
  kind: 'valid',
  value,
  identity: written(mtime),
});

/** A token with a lifetime of an hour, issued now. */
export function token(changes: Partial<TokenSnapshot> = {}): TokenSnapshot {
  const issuedAt = NOW.wall;
  return {
    user: 'alice',
    stem: 'mytok',
    top: {
      kind: 'valid',
      value: { opaque: false, refreshToken: 'present' },
      identity: written(issuedAt - 5000),
    },
    use: useOf({ issuedAt, expiresAt: issuedAt + 3600 }),
    meta: { kind: 'missing' },
    renewal: undefined,
    seen: NOW,
    ...changes,
  };
}

/** The token as passed to the plan by its owner. */
export function managed(
  snapshot: TokenSnapshot,
  changes: Partial<ManagedToken> = {},
): ManagedToken {
  return {
    snapshot,
    provider: 'mytok',
    renewable: { ok: true, value: true },
    basis: () => 'basis',
    policy: DEFAULT_POLICY,
    ...changes,
  };
}
