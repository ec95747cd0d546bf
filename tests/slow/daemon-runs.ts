// Starts the built daemon in a workspace, for the tests of this folder.
import { startExecutable, type Child } from '@credmon/test-fixtures/processes/processes';
import type { Workspace } from '@credmon/test-fixtures/files/workspace';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const root: string = fileURLToPath(new URL('../..', import.meta.url));

/** Starts condor_credmon; its log goes to the workspace's log directory. */
export function startDaemon(
  workspace: Workspace,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Child {
  return startExecutable(root, 'condor_credmon', args, {
    ...workspace.environment,
    ...environment,
  });
}

/** One pass of the daemon, ended. */
export async function runOnce(
  workspace: Workspace,
  environment: Readonly<Record<string, string>> = {},
): Promise<Child> {
  const child = startDaemon(workspace, ['--once', '-d'], environment);
  await child.exited;
  return child;
}

/** The daemon's log so far; empty before it has one. */
export function daemonLog(workspace: Workspace): string {
  const path = join(workspace.logDirectory, 'CredMonOAuthLog');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
