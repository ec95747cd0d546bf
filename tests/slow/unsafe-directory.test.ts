// What other local accounts can put into or around the credential directory, and what the daemon does with it.
import { chownSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/workspace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { daemonLog, startDaemon } from './daemon-runs.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = createWorkspace();
});
afterEach(() => workspace.remove());

const underMaster = { CONDOR_INHERIT: `${process.pid} <127.0.0.1:0> 0 0` };

describe.runIf(process.getuid?.() === 0)('a credential directory that another user owns', () => {
  it.each([
    ['itself', 'credentials', {}, 1],
    ['itself, under condor_master', 'credentials', underMaster, 99],
    ['a directory above it, under condor_master', '', underMaster, 99],
  ])(
    '%s: the daemon does not start, writes nothing there and says how to fix it',
    async (_, name, env, code) => {
      workspace.configure({ TRUST_CREDENTIAL_DIRECTORY: true });
      const path = join(workspace.root, name);
      chownSync(path, 64_001, 0);
      const daemon = startDaemon(workspace, [], env);
      expect(await daemon.exited).toEqual({ code, signal: null });
      for (const text of [daemon.output, daemonLog(workspace)]) {
        expect(text).toContain(`the credential directory ${workspace.credentialDirectory} is `);
        expect(text).toMatch(/ owned by user id 64001, .*; fix: chown root(:condor)? \//);
      }
      expect(existsSync(join(workspace.credentialDirectory, 'pid'))).toBe(false);
      expect(existsSync(join(workspace.credentialDirectory, '.condor_credmon.lock'))).toBe(false);
    },
  );
});
