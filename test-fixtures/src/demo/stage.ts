// Everything that the demo runs: issuer, web server and daemon on loopback, a temporary
// directory, and the role of CredD.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { writeKeyFile, type KeyFile } from '../files/credd.ts';
import { startIssuer, type Issuer } from '../servers/issuer.ts';
import { choosePrefix, startPortal } from '../servers/portal.ts';
import { startExecutable, type Child } from '../processes/processes.ts';
import { createWorkspace, type Workspace } from '../files/workspace.ts';
import type { WatchedToken } from './observer.ts';

/** The running parts of the demo, until `clear`. */
export interface Stage {
  readonly issuer: Issuer;
  readonly workspace: Workspace;
  readonly portal: Child;
  readonly daemon: Child;
  readonly keyFile: KeyFile;
  readonly tokens: readonly WatchedToken[];
  readonly clientSecret: string;
  /** Ends all processes and removes all files; can be called twice. */
  clear(): Promise<void>;
}

const USER = 'alice';
const SERVICE = 'mytok';
/** One request without a handle and one with. */
const REQUESTS = [
  { handle: '', scopes: 'read' },
  { handle: 'results', scopes: 'read, write' },
];

/**
 * Starts all parts; `ttl` is the lifetime of access tokens, in seconds.
 * @throws Error with the reason, after the cleanup
 */
export async function setStage(root: string, ttl: number): Promise<Stage> {
  const clientSecret = randomBytes(24).toString('base64url');
  const closers: (() => unknown)[] = [];
  const clear = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) await close();
  };
  const kept = <Thing>(thing: Thing, close: (thing: Thing) => unknown): Thing => {
    closers.push(() => close(thing));
    return thing;
  };
  try {
    const workspace = kept(createWorkspace({ clientSecret: () => clientSecret }), (it) =>
      it.remove(),
    );
    await choosePrefix(workspace);
    const issuer = kept(
      await startIssuer({ name: 'Demo issuer', accessTokenTtl: ttl, account: USER }),
      (it) => it.close(),
    );
    const service = await workspace.addService(SERVICE, issuer);
    const daemon = kept(
      startExecutable(root, 'condor_credmon', ['-v'], workspace.environment),
      (it) => it.stop(),
    );
    const portal = kept(await startPortal(root, workspace), (it) => it.stop());
    const keyFile = writeKeyFile(
      workspace.credentialDirectory,
      workspace.webPrefix,
      REQUESTS.map((request) => workspace.keyFileAd(service, USER, request)),
    );
    const tokens = REQUESTS.map(({ handle }) => {
      const stem = handle === '' ? SERVICE : `${SERVICE}_${handle}`;
      return {
        owner: USER,
        service: stem,
        usePath: join(workspace.credentialDirectory, USER, `${stem}.use`),
      };
    });
    return { issuer, workspace, portal, daemon, keyFile, tokens, clientSecret, clear };
  } catch (error) {
    await clear();
    throw error;
  }
}

/**
 * Checks that both processes still run.
 * @throws Error with the output of a process that has ended
 */
export function checkAlive({ daemon, portal }: Stage): void {
  for (const [name, child] of [
    ['condor_credmon', daemon],
    ['condor_credmon_webserver', portal],
  ] as const) {
    if (child.exit === undefined) continue;
    throw new Error(
      `${name} ended by itself (${child.exit.code ?? child.exit.signal}):\n${child.output}`,
    );
  }
}
