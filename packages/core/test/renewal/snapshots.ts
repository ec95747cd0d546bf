// Snapshots for tests: a healthy token, to be changed where a test looks.
import type {
  FileIdentity,
  FileState,
  Instant,
  TokenSnapshot,
} from '../../src/credential/snapshot.ts';
import type { TokenTimes } from '../../src/credential/times.ts';
import { DEFAULT_POLICY } from '../../src/renewal/policy.ts';
import type { ManagedToken } from '../../src/renewal/plan.ts';

/** The moment at which tests look, unless they say otherwise. */
export const NOW: Instant = { wall: 1_800_000_000, steady: 5000 };

/** An identity of a file that was written at `mtime`. */
export const written = (mtime: number): FileIdentity => ({ ino: 1, mtime, size: 100 });

/** A `.use` with these times. */
export const useOf = (value: TokenTimes, mtime = value.issuedAt): FileState<TokenTimes> => ({
  kind: 'valid',
  value,
  identity: written(mtime),
});

/** A token of an hour that was issued now. */
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

/** The token as its owner hands it to the plan. */
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
