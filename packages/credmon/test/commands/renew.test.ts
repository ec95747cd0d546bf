// The renew command beside a daemon that is a directory of requests: what is asked, what
// is printed, and the exit codes.
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runRenewCommand } from '../../src/commands/renew.ts';
import { openRequestBox, type RequestBox } from '../../src/host/request-box.ts';
import { pidNamespace } from '../../src/host/run-directory.ts';
import {
  refusal,
  resultText,
  type RenewalRequest,
  type RenewalResult,
} from '../../src/requests/request.ts';

const isRoot = process.geteuid?.() === 0;
let top: string;
let runDir: string;
let box: RequestBox | undefined;
let taken: RenewalRequest[];
const now = (): number => Math.floor(Date.now() / 1000);

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'credmon-renew-'));
  runDir = join(top, 'run');
  for (const name of ['requests', 'results', 'taken'])
    mkdirSync(join(runDir, name), { recursive: true });
  taken = [];
  heartbeat();
});
afterEach(() => {
  box?.close();
  box = undefined;
  rmSync(top, { recursive: true });
});

function heartbeat(change: object = {}): void {
  const value = {
    directory: '/creds',
    daemon: process.pid,
    pid_namespace: pidNamespace(),
    checked_at: now(),
    every: 60,
    ...change,
  };
  writeFileSync(join(runDir, 'daemon.json'), JSON.stringify(value));
}

/** A daemon that answers each request in this way. */
function daemon(answer: (request: RenewalRequest) => Partial<RenewalResult> | string): void {
  const opened = openRequestBox({
    requests: join(runDir, 'requests'),
    results: join(runDir, 'results'),
    taken: join(runDir, 'taken'),
    take: (request) => {
      taken.push(request);
      const given = answer(request);
      if (typeof given === 'string') opened.answer(request, given);
      else opened.answer(request, resultText({ ...refusal('', now()), ...given }));
    },
    warn: () => undefined,
  });
  box = opened;
}

async function renew(
  change: { user?: string; service?: string; timeout?: number; json?: boolean; off?: true } = {},
): Promise<{ code: number | string; out: string[]; err: string[] }> {
  const configFile = join(top, 'config');
  writeFileSync(
    configFile,
    `SEC_CREDENTIAL_DIRECTORY_OAUTH = /creds\nLOG = ${top}\nCREDMON_RUN_DIR = ${change.off ? 'none' : runDir}\n`,
  );
  const [out, err]: [string[], string[]] = [[], []];
  const command = {
    kind: 'renew',
    configFile,
    credDir: undefined,
    name: 'CREDMON_OAUTH',
    user: change.user ?? 'alice',
    service: change.service ?? 'mytok_h1',
    timeout: change.timeout ?? 60,
    json: change.json ?? false,
  } as const;
  try {
    const output = {
      stdout: (text: string) => void out.push(text),
      stderr: (text: string) => void err.push(text),
    };
    return { code: await runRenewCommand(command, {}, output), out, err };
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return { code, out, err: [message.replaceAll(top, '$T')] };
  }
}

describe.runIf(isRoot)('as root', () => {
  it('asks for the token of a user, without the domain, and prints the result', async () => {
    daemon(() => ({ result: 'renewed', message: null, expires_at: now() + 3600 }));
    const { code, out, err } = await renew({ user: 'alice@cern.ch' });
    expect([code, err]).toEqual([0, []]);
    expect(out).toEqual([expect.stringMatching(/^renewed alice\/mytok_h1: valid for (1h00m|59m)/)]);
    expect(taken).toMatchObject([{ uid: 0, user: 'alice', stem: 'mytok_h1' }]);
    expect(taken[0]?.id).toMatch(/^[0-9a-f]{32}$/);
  });

  it('asks for a standing token', async () => {
    daemon(() => ({ result: 'renewed', message: null }));
    expect(await renew({ user: '(standing)', service: 'ce1' })).toMatchObject({ code: 0 });
    expect(taken).toMatchObject([{ user: '(standing)', stem: 'ce1' }]);
  });

  it('prints the reason on standard error, and the step for the person who must act', async () => {
    daemon(() => ({
      result: 'failed',
      provider: 'oauth',
      code: 'GRANT_REVOKED',
      message: 'invalid_grant',
    }));
    expect(await renew()).toEqual({
      code: 1,
      out: [],
      err: [
        'failed to renew alice/mytok_h1 (GRANT_REVOKED): invalid_grant; fix: alice runs this and submits again: condor_store_cred delete-oauth -s mytok -H h1',
      ],
    });
  });

  it('prints JSON on standard output, also for a refusal', async () => {
    daemon(() => ({ message: 'busy' }));
    const { code, out, err } = await renew({ json: true });
    expect([code, err]).toEqual([1, []]);
    expect(JSON.parse(out.join())).toMatchObject({
      user: 'alice',
      service: 'mytok',
      handle: 'h1',
      result: 'refused',
      message: 'busy',
    });
  });

  it.each([
    [
      'that does not take the request',
      () => undefined,
      'no result for alice/mytok_h1 within 1s: the daemon did not take the request; ask again later, or see its log',
    ],
    [
      'that does not answer in time',
      () => {
        const slow = openRequestBox({
          requests: join(runDir, 'requests'),
          results: join(runDir, 'results'),
          taken: join(runDir, 'taken'),
          take: (request) => taken.push(request),
          warn: () => undefined,
        });
        const looks = setInterval(slow.look, 20);
        box = { ...slow, close: () => (clearInterval(looks), slow.close()) };
      },
      'no result for alice/mytok_h1 within 1s: the renewal still runs; condor_credmon status shows its result',
    ],
  ])('a daemon %s: exit code 1, and no request stays', async (_, start, why) => {
    start();
    expect(await renew({ timeout: 1 })).toEqual({
      code: 'CRED_FILE_IO',
      out: [],
      err: [`cannot ask for a renewal: ${why}`],
    });
    expect(readdirSync(join(runDir, 'requests'))).toEqual([]);
  });

  it('a daemon that ends meanwhile is not waited for', async () => {
    const asked = renew();
    heartbeat({ daemon: 2 ** 30 });
    expect((await asked).err).toEqual([
      'cannot ask for a renewal: condor_credmon (process 1073741824) is not running any more; fix: start it, for example with "condor_on -daemon CREDMON_OAUTH"; it renews what is due',
    ]);
    expect(readdirSync(join(runDir, 'requests'))).toEqual([]);
  });

  it('does not ask a daemon of another user, which could not read the request', async () => {
    chownSync(join(runDir, 'daemon.json'), 64_001, 0);
    expect((await renew()).err).toEqual([
      'cannot ask for a renewal: condor_credmon runs as user id 64001, not as root: it serves only that user',
    ]);
  });

  it('writes nothing where a user could have placed a link', async () => {
    chmodSync(runDir, 0o777);
    expect(await renew()).toEqual({
      code: 'CRED_DIR_INVALID',
      out: [],
      err: [
        'the run directory $T/run has mode 0777: every user can write to it; fix: chmod o-w $T/run',
      ],
    });
    expect(readdirSync(join(runDir, 'requests'))).toEqual([]);
  });

  it('a result that the daemon did not write is not believed', async () => {
    daemon(() => '{"result":"renewed"}');
    const { code, err } = await renew();
    expect([code, err.join()]).toEqual(['CRED_FILE_IO', expect.stringMatching(/json is invalid$/)]);
  });
});

it.each([
  ['a user', { user: '../alice' }, '"../alice" is not a valid name in a credential directory'],
  ['a service', { service: 'a/b' }, '"a/b" is not a valid name in a credential directory'],
])('%s that cannot exist is wrong usage', async (_, change, why) => {
  expect(await renew(change)).toEqual({ code: 'USAGE', out: [], err: [why] });
});

it('says what to do where no daemon can be asked, and writes nothing', async () => {
  rmSync(join(runDir, 'daemon.json'));
  expect((await renew({ user: isRoot ? 'alice' : (process.env['USER'] ?? '') })).err[0]).toMatch(
    /^cannot ask for a renewal: no condor_credmon is running here; fix: /,
  );
  expect((await renew({ off: true })).err).toEqual([
    'cannot ask for a renewal: the daemon takes no requests (CREDMON_RUN_DIR = none)',
  ]);
  expect(readdirSync(join(runDir, 'requests'))).toEqual([]);
});
