// `usable`: may a job start with this token? Prints nothing but the reason when not.
import { checkCredentialDirectory, openCredentialDirectory, systemClock } from '@credmon/core';
import type { Subcommand } from '../command.ts';
import { readSettings } from '../settings.ts';
import { openConfig } from './open-config.ts';

/** Exit code 0 when the token lives at least `seconds` more, else 1 and the reason through `complain`. */
export async function runUsableCommand(
  command: Subcommand & { kind: 'usable' },
  env: NodeJS.ProcessEnv,
  complain: (text: string) => void,
): Promise<number> {
  const settings = readSettings(openConfig(command, env), {
    ...command,
    logFile: undefined,
    debug: false,
    verbose: false,
  });
  checkCredentialDirectory(settings.credDir, { create: false });
  const store = openCredentialDirectory(settings.credDir, {
    defaultLifetime: settings.policy.defaultLifetime,
  });
  const now = { wall: systemClock.now(), steady: systemClock.steady() };
  const { tokens } = await store.scan(now);
  const use = tokens.find(({ user, stem }) => user === command.user && stem === command.service)?.use;
  const why = reason(use, command.seconds, now.wall);
  if (why === undefined) return 0;
  complain(`${command.user}/${command.service}: ${why}`);
  return 1;
}

function reason(
  use:
    | { readonly kind: string; readonly value?: { readonly expiresAt: number }; readonly reason?: string }
    | undefined,
  seconds: number,
  now: number,
): string | undefined {
  if (use === undefined || use.kind === 'missing') return 'there is no token';
  if (use.value === undefined) return `.use ${use.reason ?? 'cannot be read'}`;
  const left = Math.floor(use.value.expiresAt - now);
  return left > 0 && left >= seconds ? undefined : `it has ${Math.max(0, left)} s left`;
}
