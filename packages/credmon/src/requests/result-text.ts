// The result of a renewal request as a sentence with the next step, and as a row for
// programs. Pure.
import { durationText } from '@credmon/core/base';
import { splitStem, tokenId } from '@credmon/core/credential';
import { remediationFor } from '../report/remediation.ts';
import type { RenewalResult, WantedToken } from './request.ts';

/** Returns the sentence for a person, at `now` (epoch seconds). */
export function resultSentence(wanted: WantedToken, result: RenewalResult, now: number): string {
  const id = tokenId(wanted);
  const { expires_at: expiresAt, code, next_renewal: next } = result;
  if (result.result === 'renewed')
    return `renewed ${id}${expiresAt === null ? '' : `: valid for ${durationText(expiresAt - now)}`}`;
  const prefix = `${id}: `;
  const message = result.message ?? 'no reason given';
  const why = message.startsWith(prefix) ? message.slice(prefix.length) : message;
  const start = result.result === 'failed' ? `failed to renew ${id}` : `did not renew ${id}`;
  const again =
    next === null ? '' : `; the daemon tries again in ${durationText(Math.max(0, next - now))}`;
  if (code === null) return `${start}: ${why}${again}`;
  const name = nameOf(wanted);
  const step = remediationFor({ user: wanted.user, provider: result.provider, ...name }, code);
  return `${start} (${code}): ${why}${again}; ${step ?? `see ${code} in docs/errors.md`}`;
}

/** Returns the row of `--json`. */
export function resultRow(wanted: WantedToken, result: RenewalResult): object {
  return { user: wanted.user, ...nameOf(wanted), ...result };
}

function nameOf({ stem }: WantedToken): { readonly service: string; readonly handle: string } {
  return splitStem(stem, false) ?? { service: stem, handle: '' };
}
