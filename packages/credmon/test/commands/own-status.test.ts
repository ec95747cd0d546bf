// What a user sees without access to the credential directory.
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runOwnStatus } from '../../src/commands/status.ts';
import { pidNamespace } from '../../src/host/run-directory.ts';
import type { StatusRow } from '../../src/status/rows.ts';
import { SELECT_ALL } from '../../src/command-line/command.ts';

let runDir: string;
const now = Math.floor(Date.now() / 1000);
const row: StatusRow = {
  user: 'alice',
  service: 'mytok',
  handle: '',
  provider: 'oauth',
  why: null,
  state: 'fresh',
  expired: false,
  expires_at: now + 36_000,
  next_renewal: now + 18_000,
  attempts: 0,
  last_error: null,
};
const stopped: StatusRow = {
  ...row,
  handle: 'h1',
  state: 'stopped',
  next_renewal: null,
  attempts: 1,
  last_error: { code: 'GRANT_REVOKED', message: 'gone', at: now - 5 },
};

beforeEach(() => {
  runDir = mkdtempSync(join(tmpdir(), 'credmon-own-'));
  mkdirSync(join(runDir, 'status'));
});
afterEach(() => rmSync(runDir, { recursive: true }));

function heartbeat(change: object = {}): void {
  const value = {
    directory: '/creds',
    daemon: process.pid,
    pid_namespace: pidNamespace(),
    checked_at: now - 30,
    every: 60,
    ...change,
  };
  writeFileSync(join(runDir, 'daemon.json'), JSON.stringify(value));
}
function tokens(...rows: StatusRow[]): void {
  const value = { directory: '/creds', written_at: now - 600, every: 60, tokens: rows };
  writeFileSync(join(runDir, 'status/alice.json'), JSON.stringify(value));
}
function status(options: { json?: boolean; user?: string | undefined; off?: true } = {}): {
  code: number | string;
  printed: string;
  said: string[];
} {
  const printed: string[] = [];
  const said: string[] = [];
  const command = {
    kind: 'status',
    configFile: undefined,
    credDir: undefined,
    name: 'CREDMON_OAUTH',
    json: options.json ?? false,
    user: 'user' in options ? options.user : 'alice',
    selection: SELECT_ALL,
    watch: undefined,
  } as const;
  try {
    const code = runOwnStatus(
      command,
      { credDir: '/closed', runDir: options.off ? undefined : runDir },
      { stdout: (text) => printed.push(text), stderr: (text) => said.push(text), width: undefined },
    );
    return { code, printed: printed.join('\n'), said };
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return { code, printed: printed.join('\n'), said: [message.replaceAll(runDir, '$R')] };
  }
}

it('shows the table of status, with the next step of each token in trouble', () => {
  heartbeat();
  tokens(row, stopped);
  const { code, printed, said } = status();
  expect(code).toBe(1);
  expect(printed.split('\n').map((line) => line.split(/ {2,}/).slice(0, 4).join(' | '))).toEqual([
    'OWNER | SERVICE | PROVIDER | STATE',
    'alice | mytok | mytok (oauth) | fresh',
    'alice | mytok_h1 | mytok (oauth) | stopped',
  ]);
  expect(said).toEqual([
    'alice/mytok_h1 is stopped (GRANT_REVOKED): gone; fix: alice runs this and submits again: condor_store_cred delete-oauth -s mytok -H h1',
  ]);
});

it('prints the same members as JSON as for root, and when they were written', () => {
  heartbeat();
  tokens(row);
  const { code, printed, said } = status({ json: true });
  expect([code, said]).toEqual([0, []]);
  expect(JSON.parse(printed)).toEqual({
    directory: '/creds',
    daemon: process.pid,
    written_at: now - 600,
    checked_at: now - 30,
    tokens: [row],
  });
});

it('a token that has expired since the file was written is shown as expired', () => {
  heartbeat();
  tokens({ ...row, expires_at: now - 1, next_renewal: now - 100 });
  const { code, printed } = status();
  expect([code, printed.split('\n')[1]?.split(/ {2,}/)[3]]).toEqual([1, 'EXPIRED']);
});

describe('a daemon', () => {
  it('that is gone is reported with the age of what is shown', () => {
    heartbeat({ daemon: 2 ** 30, checked_at: now - 3600 });
    tokens(row);
    const { code, printed, said } = status();
    expect([code, printed.split('\n').length]).toEqual([0, 2]);
    expect(said[0]).toMatch(
      /^Nothing is renewed: condor_credmon \(process 1073741824\) is not running any more\. This is the state of 1h00m ago\. Ask the administrator\.$/,
    );
    expect(JSON.parse(status({ json: true }).printed)).toMatchObject({ daemon: null });
  });

  it('in another process namespace counts as running while its heartbeat is new', () => {
    heartbeat({ daemon: 2 ** 30, pid_namespace: 'pid:[1]' });
    tokens(row);
    expect(status().said).toEqual([]);
    heartbeat({ daemon: 2 ** 30, pid_namespace: 'pid:[1]', checked_at: now - 200 });
    // Some seconds may pass between these lines.
    expect(status().said.join()).toMatch(
      /seems not to run: it last checked the tokens 3m\d\ds ago/,
    );
  });

  it('that ended in order leaves what it knew', () => {
    tokens(row);
    const { code, said } = status();
    expect(code).toBe(0);
    expect(said[0]).toMatch(
      /^Nothing is renewed: no condor_credmon is running here\. .* state of 10m\d\ds ago/,
    );
  });
});

describe('a user without a status file', () => {
  it('has no tokens where the daemon runs', () => {
    heartbeat();
    const self = { user: undefined };
    expect(status(self)).toEqual({ code: 0, printed: 'No tokens.', said: [] });
    expect(JSON.parse(status({ ...self, json: true }).printed)).toMatchObject({
      written_at: null,
      tokens: [],
    });
    expect(status()).toMatchObject({
      code: 'CRED_FILE_IO',
      said: ['no token of alice in /creds'],
    });
  });

  it.runIf(process.geteuid?.() === 0)('of a daemon that is not root learns that', () => {
    heartbeat();
    chownSync(join(runDir, 'daemon.json'), 64_001, 0);
    expect(status().said).toEqual([
      'cannot show your tokens: the credential directory /closed is closed to you, and condor_credmon runs as user id 64001, not as root: it serves only that user; ask the administrator',
    ]);
    tokens(row);
    expect(status().code).toBe(0);
  });

  it('learns that the run directory cannot be read', () => {
    mkdirSync(join(runDir, 'daemon.json'));
    expect(status().said).toEqual([
      'cannot show your tokens: the credential directory /closed is closed to you, and $R/daemon.json is a directory; ask the administrator',
    ]);
  });

  it('learns why nothing can be shown', () => {
    expect(status()).toMatchObject({
      code: 'CRED_FILE_IO',
      said: [
        'cannot show your tokens: the credential directory /closed is closed to you, and no condor_credmon is running here (no $R/daemon.json); ask the administrator',
      ],
    });
    expect(status({ off: true }).said).toEqual([
      'cannot show your tokens: the credential directory /closed is closed to you, and there is no view for users (CREDMON_RUN_DIR = none); ask the administrator',
    ]);
  });
});

it.each([
  ['../alice', 'USAGE', '"../alice" is not a valid user name'],
  ['alice@cern.ch', 0, ''],
])('--user %s: %s', (user, code, text) => {
  heartbeat();
  tokens(row);
  const result = status({ user });
  expect([result.code, result.said.join()]).toEqual([code, expect.stringContaining(text)]);
});

it('a file that the daemon did not write is not shown', () => {
  heartbeat();
  writeFileSync(join(runDir, 'status/alice.json'), '{"tokens":[{"user":"alice"}]}');
  expect(status()).toMatchObject({ code: 'CRED_FILE_IO' });
  expect(status().said[0]).toContain('$R/status/alice.json is invalid');
});
