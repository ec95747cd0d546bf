// The renew command: puts a request into the run directory, and waits for the daemon's
// result. Sends nothing to an issuer: only the daemon may use a refresh token.
import type { Subcommand } from '../command-line/command.ts';
import { openConfig } from '../command-line/open-config.ts';
import { STANDING } from '../providers/standing/ports.ts';
import { remediationFor } from '../report/remediation.ts';
import {
  type RenewalResult,
  type WantedToken,
  parseResult,
  requestText,
} from '../requests/request.ts';
import { askDaemon, readDirectories } from './ask-daemon.ts';
import { CodedError, durationText, systemClock } from '@credmon/core/base';
import { findUser } from '@credmon/core/config';
import { cutDomain, isCredName, splitStem, tokenId } from '@credmon/core/credential';

type RenewCommand = Subcommand & { kind: 'renew' };

/** Standard output and standard error of the command. */
export interface RenewOutput {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/**
 * Asks the daemon to renew one token, and prints the result. Exit code 0 when it was
 * renewed, otherwise 1 with the reason.
 * @throws CodedError `USAGE` (exit code 2) for invalid names and tokens of other users;
 * `CRED_FILE_IO` when no daemon can be asked, or none answers in time; `CRED_DIR_INVALID`
 * when others could change the run directory
 */
export async function runRenewCommand(
  command: RenewCommand,
  env: NodeJS.ProcessEnv,
  { stdout, stderr }: RenewOutput,
): Promise<number> {
  const wanted = wantedBy(command);
  const { runDir, condorIds } = readDirectories(openConfig(command, env), command);
  const result = await askDaemon({
    runDir,
    condorIds,
    text: requestText(wanted),
    parse: parseResult,
    timeout: command.timeout,
    unasked,
    step: 'it renews what is due',
    late: (isTaken) =>
      `no result for ${tokenId(wanted)} within ${durationText(command.timeout)}: ` +
      (isTaken
        ? 'the renewal still runs; condor_credmon status shows its result'
        : 'the daemon did not take the request; ask again later, or see its log'),
  });
  if (command.json) stdout(JSON.stringify(resultRow(wanted, result), null, 2));
  else {
    const print = result.result === 'renewed' ? stdout : stderr;
    print(resultSentence(wanted, result, systemClock.now()));
  }
  return result.result === 'renewed' ? 0 : 1;
}

function wantedBy({ user: named, service: stem }: RenewCommand): WantedToken {
  const user = named === STANDING ? named : cutDomain(named);
  for (const name of [user, stem])
    if (name !== STANDING && !isCredName(name))
      throw new CodedError(
        'USAGE',
        `${JSON.stringify(name)} is not a valid name in a credential directory`,
      );
  const uid = process.geteuid?.() ?? 0;
  if (uid !== 0 && findUser(user)?.uid !== uid)
    throw new CodedError('USAGE', `only root and ${user} may ask for tokens of ${user}`);
  return { user, stem };
}

const unasked = (why: string): CodedError =>
  new CodedError('CRED_FILE_IO', `cannot ask for a renewal: ${why}`);

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
