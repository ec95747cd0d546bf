// The terminal for a login: standard output, standard error, or the controlling terminal.
import { openSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { systemCode, CodedError } from '@credmon/core/base';
import { stemOf } from '@credmon/core/credential';
import type { DeviceLogin } from '@credmon/core/oauth';
import { renderUnicodeCompact } from 'uqr';
import { requestText, type StoreRequest } from './arguments.ts';

/** A terminal. `descriptor` is for programs that write to it themselves. */
export interface Terminal {
  readonly descriptor: number;
  print(text: string): void;
}

/**
 * Returns the terminal, or `undefined` when there is none: a cron job, a script, a batch
 * job.
 */
export function findTerminal(): Terminal | undefined {
  const descriptor = [1, 2].find((each) => isatty(each)) ?? controllingTerminal();
  return descriptor === undefined
    ? undefined
    : { descriptor, print: (text) => void writeSync(descriptor, `${text}\n`) };
}

/** condor_submit may capture the storer's output; the person still sees `/dev/tty`. */
function controllingTerminal(): number | undefined {
  try {
    return openSync('/dev/tty', 'r+');
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

// The texts of a login, with and without a terminal. Pure.

/**
 * Returns the prompt of a device login. `purpose` is what the login is for ("let your
 * jobs use mytok"); `unicode`: the terminal can show the blocks of a QR code.
 */
export function devicePrompt(purpose: string, login: DeviceLogin, unicode: boolean): string {
  const { verificationUrl, completeUrl, userCode, expiresIn } = login;
  const target = completeUrl ?? verificationUrl;
  const minutes = Math.max(1, Math.floor(expiresIn / 60));
  return [
    `To ${purpose}, open this page on any device and log in:`,
    '',
    `    ${target}`,
    '',
    ...(unicode ? [renderUnicodeCompact(target, { border: 2 }), ''] : []),
    ...(completeUrl === undefined
      ? ['Enter this code there:']
      : [`The page must show this code (or ask for it at ${verificationUrl}):`]),
    '',
    `    ${userCode}`,
    '',
    `Waiting for up to ${minutes} min; press Ctrl-C to cancel.`,
  ].join('\n');
}

/** Returns the error for a login without a terminal. */
export function needsTerminal(request: StoreRequest): CodedError {
  const stem = stemOf(request.service, request.handle);
  return new CodedError(
    'LOGIN_NEEDS_TERMINAL',
    [
      `${stem} needs a login, and there is no terminal to show it on.`,
      'Log in once by hand on this machine, then submit again:',
      '',
      `    condor_credential_storer '${requestText(request).replaceAll("'", String.raw`'\''`)}'`,
      '',
      'After that, scripts, cron and batch jobs can submit for as long as condor_credmon can renew the token.',
    ].join('\n'),
    { token: stem },
  );
}
