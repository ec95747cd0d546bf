// What a renewal stands on, as one short text: a failure counts only as long as it stays
// the same.
import { createHash } from 'node:crypto';
import type { TokenSnapshot } from '@credmon/core/credential';

/**
 * A digest of this version of `.top` and of `stands`, which holds no secret: only names
 * and versions of secrets.
 */
export function basisOf({ top }: TokenSnapshot, stands: unknown): string {
  const version =
    top.kind === 'missing' ? '' : `${top.identity?.ino ?? ''}:${top.identity?.mtime ?? ''}`;
  return createHash('sha256')
    .update(JSON.stringify([version, stands]))
    .digest('base64url')
    .slice(0, 22);
}
