// What the tests of one provider's life share: a running daemon, a user who stores, and
// waiting for what becomes of it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { storeCredential } from '@credmon/test-fixtures/files/credd';
import { postToken } from '@credmon/test-fixtures/browsers/http-login';
import type { Issuer } from '@credmon/test-fixtures/servers/issuer';
import { installPrograms } from '@credmon/test-fixtures/processes/fake-programs';
import {
  executablePath,
  startProcess,
  type Child,
} from '@credmon/test-fixtures/processes/processes';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import type { Workspace } from '@credmon/test-fixtures/files/workspace';
import { daemonLog, root, startDaemon } from './daemon-runs.ts';

/** A daemon at work. Tokens are named `user/stem`. */
export interface Life {
  readonly daemon: Child;
  path(token: string, kind: 'top' | 'use' | 'meta'): string;
  /** Stores `.top` as CredD does, and signals. */
  store(token: string, top: object | string): void;
  /** Stores the same `.top` again, which makes the token due. */
  again(token: string): void;
  /** The text of `.use`; empty when there is none. */
  use(token: string): string;
  /** The access token in `.use`, JSON or bare. */
  accessToken(token: string): string;
  /** Waits until `.use` is another one than `before`. */
  changed(token: string, before?: string): Promise<string>;
  /** The same, with somebody who signals all the while. */
  changedOnCall(token: string, before: string): Promise<string>;
  /** Waits until the last attempt has failed with this code. */
  failed(token: string, code: string): Promise<void>;
  logged(text: string): Promise<void>;
}

/** Starts the daemon in a workspace whose knobs are set; retries come soon. */
export async function startLife(workspace: Workspace): Promise<Life> {
  workspace.configure({ CREDMON_FIRST_RETRY: 1 });
  const daemon = startDaemon(workspace);
  const { credentialDirectory: directory } = workspace;
  await waitUntil(() => existsSync(join(directory, 'CREDMON_COMPLETE')), {
    what: 'the first pass',
  });
  const path: Life['path'] = (token, kind) => join(directory, `${token}.${kind}`);
  const use: Life['use'] = (token) =>
    existsSync(path(token, 'use')) ? readFileSync(path(token, 'use'), 'utf8') : '';
  const store: Life['store'] = (token, top) => {
    const [user = '', stem = ''] = token.split('/');
    storeCredential({ directory, user, stem }, typeof top === 'string' ? top : JSON.stringify(top));
    daemon.signal('SIGHUP');
  };
  return {
    daemon,
    path,
    store,
    again: (token) => store(token, readFileSync(path(token, 'top'), 'utf8')),
    use,
    accessToken: (token) =>
      use(token).startsWith('{')
        ? String(readJson(path(token, 'use'))['access_token'])
        : use(token).trim(),
    changed: (token, before = '') =>
      waitUntil(() => (use(token) === before ? undefined : use(token)), {
        what: `a new .use of ${token}`,
      }),
    changedOnCall: (token, before) =>
      waitUntil(
        () => {
          daemon.signal('SIGHUP');
          return use(token) === before ? undefined : use(token);
        },
        { what: `a new .use of ${token}`, every: 0.3 },
      ),
    failed: async (token, code) => {
      const [user = '', stem = ''] = token.split('/');
      const renewal = join(directory, user, `.${stem}.renewal`);
      await waitUntil(() => existsSync(renewal) && readJson(renewal)['code'] === code, {
        what: `${code} of ${token}`,
      });
    },
    logged: async (text) => {
      await waitUntil(() => daemonLog(workspace).includes(text), {
        what: `the log line "${text}"`,
      });
    },
  };
}

/** Starts the storer of a user who logs in by device, on a terminal of its own. */
export function startStorer(workspace: Workspace, args: readonly string[]): Child {
  const bin = join(workspace.root, 'bin');
  installPrograms(bin, ['condor_store_cred']);
  const words = [process.execPath, executablePath(root, 'condor_credential_storer'), ...args];
  const line = words.map((word) => `'${word}'`).join(' ');
  return startProcess('script', ['-qefc', line, '/dev/null'], {
    ...workspace.environment,
    PATH: `${bin}:/usr/bin:/bin`,
    FAKE_CREDENTIAL_DIRECTORY: workspace.credentialDirectory,
  });
}

/**
 * Revokes a token at its issuer, as a user does on the issuer's own page.
 * @see RFC 7009
 */
export async function revokeAt(
  issuer: Issuer,
  client: { readonly clientId: string; readonly clientSecret: string },
  token: string,
): Promise<void> {
  const { status } = await postToken(`${issuer.url}/token/revocation`, {
    token,
    client_id: client.clientId,
    client_secret: client.clientSecret,
  });
  if (status !== 200) throw new Error(`the issuer did not revoke: ${status}`);
}
