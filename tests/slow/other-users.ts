// Accounts of this machine that are not root, for tests of what users may do: they run
// the built program in a workspace that they can enter.
import { executablePath } from '@credmon/test-fixtures/processes/processes';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root as repository } from './daemon-runs.ts';

/** How a command ended. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An account, and what it runs. */
export interface OtherUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Runs condor_credmon. */
  run(...args: string[]): Promise<Ran>;
  /** Runs a line of shell. */
  shell(line: string): Promise<Ran>;
}

/** A workspace that users can enter, two users, and root. */
export interface OtherUsers {
  readonly workspace: Workspace;
  readonly alice: OtherUser;
  readonly bob: OtherUser;
  readonly root: OtherUser;
}

/** Opens a new workspace to users, with a copy of the built program. */
export function openToUsers(): OtherUsers {
  const workspace = createWorkspace();
  chmodSync(workspace.root, 0o711);
  const program = join(workspace.root, 'condor_credmon.cjs');
  const built = executablePath(repository, 'condor_credmon');
  copyFileSync(built, program);
  for (const name of readdirSync(dirname(built)))
    if (name.endsWith('.parts'))
      copyFileSync(join(dirname(built), name), join(workspace.root, name));
  chmodSync(program, 0o755);
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ name, uid }) => uid > 0 && /^[a-z]+$/.test(name));
  const user = ({ name, uid, gid }: { name: string; uid: number; gid: number }): OtherUser => {
    const spawn = (command: string, args: readonly string[]): Promise<Ran> => {
      const options = { uid, gid, cwd: '/', env: workspace.environment, encoding: 'utf8' } as const;
      // The issuer runs in this process: it must answer meanwhile.
      return new Promise((resolve) => {
        const child = execFile(command, args, options, (_, stdout, stderr) =>
          resolve({ code: child.exitCode, stdout, stderr }),
        );
      });
    };
    return {
      name,
      uid,
      gid,
      run: (...args) => spawn(process.execPath, [program, ...args]),
      shell: (line) => spawn('/bin/sh', ['-c', line]),
    };
  };
  const [first, second] = accounts;
  if (!first || !second) throw new Error('/etc/passwd has fewer than two users');
  return {
    workspace,
    alice: user(first),
    bob: user(second),
    root: user({ name: 'root', uid: 0, gid: 0 }),
  };
}
