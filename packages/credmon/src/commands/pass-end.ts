// What the daemon does after each pass: it marks its end, and checks what others may have
// changed.
import { messageOf } from '@credmon/core/base';
import { checkCredentialDirectory } from '@credmon/core/store';
import type { Log } from '@credmon/core/log';
import type { DaemonCommand } from '../command-line/command.ts';
import { restorePid, touchComplete } from '../daemon/pid-and-complete.ts';
import { createReadyNotice } from '../host/master-ready.ts';
import type { Report } from '../report/events.ts';
import type { Settings } from '../settings/read.ts';

/** The running daemon, as far as the end of a pass needs it. */
interface PassEndParts {
  readonly command: Pick<DaemonCommand, 'once'>;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly directory: string;
  readonly settings: Pick<Settings, 'condorIds'>;
}

/**
 * Creates the function for the end of a pass. It marks the end, checks the pid file and
 * the directory, and after the first pass tells condor_master that the daemon is ready.
 */
export function createPassEnd(
  running: PassEndParts,
  report: Report,
  stop: AbortSignal,
): () => void {
  const { command, env, log, directory } = running;
  const tellMaster = createReadyNotice(env, () => running.settings.condorIds, log, stop);
  return (): void => {
    touchComplete(directory, (text) => log.warn(text));
    if (!command.once) tellMaster();
    if (!command.once && restorePid(directory))
      log.warn(`The file pid was removed from ${directory}; it was written again`);
    const unsafe = unsafeNow(running);
    if (unsafe === undefined) return;
    const text = `Tokens are still renewed, but the next start will fail: ${unsafe}`;
    report({ type: 'problem', text });
  };
}

/**
 * Returns why the next start would reject the credential directory: its owner or mode has
 * changed.
 */
function unsafeNow({ directory, settings }: PassEndParts): string | undefined {
  try {
    checkCredentialDirectory(directory, { create: false, condor: settings.condorIds });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
