// Runs the built web server in a workspace.
import { freePort } from '../processes/free-port.ts';
import { startExecutable, type Child } from '../processes/processes.ts';
import type { Workspace } from '../files/workspace.ts';

/** The listen address, and more environment variables. */
export interface PortalOptions {
  /**
   * `HOST:PORT` or `unix:/path`; by default a free port of 127.0.0.1, which is then
   * CREDMON_WEB_PREFIX.
   */
  readonly listen?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Sets a web prefix with a free port. Call it before services are added, because the
 * issuers need it.
 */
export async function choosePrefix(workspace: Workspace, path = ''): Promise<string> {
  const listen = `127.0.0.1:${await freePort()}`;
  workspace.configure({
    CREDMON_WEB_PREFIX: `http://${listen}${path}`,
    CREDMON_WEB_LISTEN: listen,
  });
  return listen;
}

/** Starts condor_credmon_webserver and waits until it listens. */
export async function startPortal(
  root: string,
  workspace: Workspace,
  { listen, environment }: PortalOptions = {},
): Promise<Child> {
  const args = listen === undefined ? [] : ['--listen', listen];
  const child = startExecutable(root, 'condor_credmon_webserver', args, {
    ...workspace.environment,
    ...environment,
  });
  try {
    await child.printed(/ serves \S+ on \S+,/);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return child;
}
