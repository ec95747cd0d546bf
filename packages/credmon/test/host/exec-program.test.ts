// Site programs: real scripts that answer, fail, hang, flood and pry; the contract is
// docs/exec-provider.md.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { PATIENCE } from '@credmon/test-fixtures/clocks/patience';
import { buildSync } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accessPoint, settingsWith, type AccessPoint } from '../support/access-point.ts';

let on: AccessPoint;
beforeEach(() => {
  on = accessPoint();
});
afterEach(() => on.close());

/**
 * Makes `own` a provider whose program is this shell script, and stores a token of
 * alice's.
 */
function program(
  script: string,
  top = '{"scopes":"read, write","audience":"x","mine":1}',
  args = '',
  seconds = script.startsWith('sleep') ? '1' : String(PATIENCE),
): string {
  const path = on.secret('program', `#!/bin/sh\n${script}\n`, 0o755);
  on.configure({
    EXEC_CREDMON_PROVIDER_NAMES: 'own',
    EXEC_CREDMON_own_COMMAND: `${path} ${args}`,
    EXEC_CREDMON_TIMEOUT: seconds,
  });
  on.store('alice/own_h1.top', top);
  return path;
}
const answer = (value: object): string => `cat > /dev/null; echo '${JSON.stringify(value)}'`;
const log = (): string => on.lines.join('\n');

describe('a token program', () => {
  it('gets the request on standard input, its arguments unchanged, and a clean environment', async () => {
    const input = on.secret('input', '');
    const rest = on.secret('rest', '');
    program(
      `cat > ${input}; { pwd; echo "$# $1 $2"; env | sort; } > ${rest}; echo '{"access_token":"t1","expires_in":600}'`,
      undefined,
      'a;b $(touch+x)',
    );
    process.env['CANARY'] = 'CANARY-environment';
    await on.pass();
    delete process.env['CANARY'];
    expect(JSON.parse(readFileSync(input, 'utf8'))).toEqual({
      version: 1,
      user: 'alice',
      service: 'own',
      handle: 'h1',
      scopes: 'read, write',
      audience: 'x',
      top: { scopes: 'read, write', audience: 'x', mine: 1 },
      now: on.clock.now(),
    });
    const [cwd, args, ...environment] = readFileSync(rest, 'utf8').trim().split('\n');
    expect([cwd, args]).toEqual(['/', '2 a;b $(touch+x)']);
    const names = environment
      .map((line) => line.split('=')[0])
      .filter((name) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name ?? ''));
    expect(names).toEqual(['HOME', 'LANG', 'PATH']);
    expect(on.read('alice/own_h1.use')).toMatchObject({ access_token: 't1', expires_in: 600 });
  });

  it('R16 may rotate the refresh token in .top, which keeps its other keys', async () => {
    program(
      answer({ access_token: 't1', expires_in: 600, refresh_token: 'r2', scope: 'read write' }),
    );
    await on.pass();
    expect(on.read('alice/own_h1.top')).toEqual({
      scopes: 'read, write',
      audience: 'x',
      mine: 1,
      refresh_token: 'r2',
    });
    expect(on.read('alice/own_h1.use')).not.toHaveProperty('refresh_token');
  });

  it.each<[string, object, string, string]>([
    [
      'wider scopes',
      { access_token: 't', scope: 'read write admin' },
      '',
      'granted more scopes than requested',
    ],
    ['an unusable access token', { access_token: 'a b' }, '', 'access token contains blanks'],
    ['an exit code', { access_token: 't' }, 'exit 3', 'failed with exit code 3'],
  ])('R16 that rotates with %s loses nothing', async (_, said, exit, text) => {
    program(
      `${answer({ ...said, refresh_token: 'r2' })}; ${exit}`,
      '{"scopes":"read, write","refresh_token":"r1","mine":1}',
    );
    await on.pass();
    expect([on.has('alice/own_h1.use'), on.read('alice/own_h1.top')]).toEqual([
      false,
      { scopes: 'read, write', refresh_token: 'r2', mine: 1 },
    ]);
    expect(log()).toContain(text);
  });

  it.each<[string, string, string]>([
    ['hangs', 'sleep 60', 'did not answer within 3 s'],
    ['closes its output and hangs', 'exec >&-; sleep 60', 'did not answer within 3 s'],
    ['writes blanks without end', `exec yes ''`, 'wrote more than 262144 bytes'],
    ['kills itself', 'kill -9 $$', 'was killed by a signal'],
  ])(
    'R12 R16 that has answered and then %s keeps its rotated refresh token',
    async (_, then, text) => {
      program(
        `${answer({ access_token: 't', refresh_token: 'r2' })}; ${then}`,
        '{"refresh_token":"r1","mine":1}',
        '',
        '3',
      );
      await on.pass();
      expect([on.has('alice/own_h1.use'), on.read('alice/own_h1.top')]).toEqual([
        false,
        { refresh_token: 'r2', mine: 1 },
      ]);
      expect(log()).toContain(text);
    },
  );

  it('R12 that hangs during its answer changes nothing', async () => {
    program(
      `cat > /dev/null; printf '{"refresh_token":"r2"'; sleep 60`,
      '{"refresh_token":"r1"}',
      '',
      '1',
    );
    await on.pass();
    expect(on.read('alice/own_h1.top')).toEqual({ refresh_token: 'r1' });
  });

  it('R43 that writes short tokens to its error output does not leak them', async () => {
    const said = answer({ access_token: 'CANARY/a', refresh_token: 'CANARY/r' });
    program(
      `${said}; echo 'sent CANARY%2F1, got CANARY/a CANARY/r' >&2; exit 1`,
      '{"refresh_token":"CANARY/1"}',
    );
    await on.pass();
    expect(log()).toContain('stderr: sent [...], got [...] [...]');
    expect(log()).not.toContain('CANARY');
  });

  it('R16 that answers with an error code changes nothing', async () => {
    program(answer({ error: 'invalid_grant', refresh_token: 'r2' }), '{"refresh_token":"r1"}');
    await on.pass();
    expect(on.read('alice/own_h1.top')).toEqual({ refresh_token: 'r1' });
  });

  it('R2 has answered, even if a child of another group keeps its output open', async () => {
    const pids = on.secret('pids', '');
    program(
      `${answer({ access_token: 't1', expires_in: 600 })}; setsid sh -c 'echo $$ > ${pids}; exec sleep 60' & while [ ! -s ${pids} ]; do :; done`,
    );
    await on.pass();
    process.kill(Number(readFileSync(pids, 'utf8')));
    expect(on.read('alice/own_h1.use')).toMatchObject({ access_token: 't1' });
  });

  it('renews, and keeps the old token while the program fails', async () => {
    const path = program(answer({ access_token: 't1', expires_in: 600 }), 'any text');
    await on.pass();
    on.clock.advance(400);
    on.secret('program', '#!/bin/sh\nexit 3\n', 0o755);
    await on.pass();
    expect(on.read('alice/own_h1.use')['access_token']).toBe('t1');
    on.secret('program', `#!/bin/sh\n${answer({ access_token: 't2' })}\n`, 0o755);
    await on.pass();
    expect([path !== '', on.read('alice/own_h1.use')]).toMatchObject([
      true,
      { access_token: 't2', expires_in: 1200 },
    ]);
  });

  it('R13 R16 is read before its time-out is checked, even if this process stalled', async () => {
    const started = on.secret('started', '');
    program(
      `echo yes > ${started}; sleep 0.3; ${answer({ access_token: 't1', refresh_token: 'r2' })}`,
    );
    const ended = on.pass();
    await expect.poll(() => readFileSync(started, 'utf8'), { timeout: 30_000 }).toBe('yes\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500);
    await ended;
    expect(on.read('alice/own_h1.top')).toMatchObject({ refresh_token: 'r2' });
  });

  it.each<[string, string, string]>([
    [
      'ends with an exit code',
      'echo "no key for you" >&2; exit 3',
      'failed with exit code 3; stderr: no key for you',
    ],
    ['kills itself', 'kill -9 $$', 'was killed by a signal'],
    ['hangs', 'sleep 60', 'did not answer within 1 s'],
    ['hangs with children and closed pipes', 'sleep 60 & wait', 'did not answer within 1 s'],
    ['floods', 'exec yes', 'wrote more than 262144 bytes'],
    [
      'floods its error output',
      'yes "$(printf "x%080d" 1)" | head -c 300000 >&2; exit 1',
      'failed with exit code 1',
    ],
    ['writes nothing', 'true', 'returned output that is empty'],
    ['answers HTML', 'echo "<html>"', 'returned output that is not JSON'],
    ['answers a list', 'echo "[]"', 'is JSON, but not an object'],
    ['answers without a token', 'echo "{}"', 'no access_token'],
    ['answers with a token of another type', `echo '{"access_token":5}'`, 'no access_token'],
    [
      'answers correctly but fails',
      `echo '{"access_token":"t"}'; exit 1`,
      'failed with exit code 1',
    ],
    [
      'shows a secret in its error output',
      'echo "token eyJCANARYCANARYCANARYCANARY" >&2; exit 1',
      'stderr: token [...]',
    ],
  ])('R2 R14 that %s is a failure that time may fix', async (_, script, text) => {
    program(script);
    await on.pass();
    expect(on.has('alice/own_h1.use')).toBe(false);
    expect(log()).toContain(text);
    expect(log()).toContain('tried again in');
    expect(log()).not.toContain('CANARY');
  });

  it.each<[string, object, string]>([
    ['invalid_grant', { error: 'invalid_grant' }, 'submits again'],
    ['invalid_client', { error: 'invalid_client' }, 'the administrator must act'],
    [
      'wider scopes',
      { access_token: 't', scope: 'read write admin' },
      'granted more scopes than requested (admin)',
    ],
  ])('R9 R30 that answers %s is not asked again', async (_, said, text) => {
    const count = on.secret('count', '');
    program(`echo >> ${count}; ${answer(said)}`);
    await on.pass();
    on.clock.advance(5000);
    await on.pass();
    expect(readFileSync(count, 'utf8')).toBe('\n');
    expect(log()).toContain(text);
    expect(on.has('alice/own_h1.use')).toBe(false);
  });

  it('R8 that is busy decides when it is asked again', async () => {
    const count = on.secret('count', '');
    program(
      `echo >> ${count}; ${answer({ error: 'temporarily_unavailable', retry_after: 900 })}; exit 75`,
    );
    await on.pass();
    on.clock.advance(899);
    await on.pass();
    expect(readFileSync(count, 'utf8')).toBe('\n');
    on.clock.advance(2);
    await on.pass();
    expect(readFileSync(count, 'utf8')).toBe('\n\n');
  });

  it.each<[string, string, number, string]>([
    ['can be changed by others', '', 0o777, 'is not safe: others could change'],
    ['is not executable', '', 0o644, 'is not executable; fix: chmod +x '],
    ['is missing', '/gone', 0o755, 'cannot be found (ENOTDIR)'],
  ])('that %s is not started', async (_, suffix, mode, text) => {
    const path = on.secret('program', `#!/bin/sh\n${answer({ access_token: 't' })}\n`, mode);
    on.configure({
      EXEC_CREDMON_PROVIDER_NAMES: 'own',
      EXEC_CREDMON_own_COMMAND: `${path}${suffix}`,
    });
    on.store('alice/own.top', '');
    await on.pass();
    expect(log()).toContain(text);
    expect(on.has('alice/own.use')).toBe(false);
  });

  it.each<[string, () => string, number, string]>([
    ['below /tmp', () => '/tmp', 0o700, 'is not safe: others could change /tmp'],
    [
      'below a directory that others can write',
      () => dirname(on.directory),
      0o777,
      'is not safe: others could change',
    ],
  ])('that lies %s is not started', async (_, place, mode, text) => {
    const above = mkdtempSync(join(place(), 'above-'));
    mkdirSync(join(above, 'bin'), { mode: 0o755 });
    const path = join(above, 'bin', 'program');
    writeFileSync(path, `#!/bin/sh\n${answer({ access_token: 't' })}\n`, { mode: 0o755 });
    chmodSync(above, mode);
    on.configure({ EXEC_CREDMON_PROVIDER_NAMES: 'own', EXEC_CREDMON_own_COMMAND: path });
    on.store('alice/own.top', '');
    await on.pass();
    rmSync(above, { recursive: true });
    expect(log()).toContain(text);
    expect(on.has('alice/own.use')).toBe(false);
  });

  it('is started by the checked path, not by a link to it', async () => {
    const path = on.secret('program', '#!/bin/sh\necho "{\\"access_token\\":\\"$0\\"}"\n', 0o755);
    const link = join(dirname(path), 'link');
    symlinkSync(path, link);
    on.configure({ EXEC_CREDMON_PROVIDER_NAMES: 'own', EXEC_CREDMON_own_COMMAND: link });
    on.store('alice/own.top', '');
    await on.pass();
    expect(on.read('alice/own.use')).toMatchObject({ access_token: path });
  });

  it('R2 that cannot be started for lack of file descriptors is retried, and the daemon survives', () => {
    const contents = `import { openSync } from 'node:fs';
      import { runProgram } from '../../src/host/exec-program.ts';
      try { for (;;) openSync('/dev/null'); } catch { /* None is left. */ }
      runProgram({ name: 'x', command: '/bin/cat', args: [], seconds: 5, input: '' }).catch((error) => {
        process.exitCode = error.code === 'PLUGIN_FAILED' && /EMFILE/.test(error.message) ? 42 : 1;
      });`;
    const script = on.secret('run.cjs', '');
    buildSync({
      stdin: { contents, resolveDir: import.meta.dirname, loader: 'ts' },
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile: script,
      logLevel: 'error',
    });
    const { status } = spawnSync('sh', [
      '-c',
      'ulimit -n 64; exec "$0" "$1"',
      process.execPath,
      script,
    ]);
    expect(status).toBe(42);
  });

  it.each<[string, string]>([
    ['', 'EXEC_CREDMON_own_COMMAND is not set'],
    ['program --fast', 'does not begin with an absolute path'],
  ])('R45 the command %j is a mistake', (command, text) => {
    expect(() =>
      settingsWith({ EXEC_CREDMON_PROVIDER_NAMES: 'own', EXEC_CREDMON_own_COMMAND: command }),
    ).toThrow(text);
  });
});
