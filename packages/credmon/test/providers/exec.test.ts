// Site programs: real scripts that answer, fail, hang, flood and pry; the contract is docs/exec-provider.md.
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accessPoint, settingsWith, type AccessPoint } from '../support/access-point.ts';

let on: AccessPoint;
beforeEach(() => {
  on = accessPoint();
});
afterEach(() => on.close());

/** Makes `own` a provider whose program is this shell script, and stores a token of alice's. */
function program(
  script: string,
  top = '{"scopes":"read, write","audience":"x","mine":1}',
  args = '',
): string {
  const path = on.secret('program', `#!/bin/sh\n${script}\n`, 0o755);
  on.configure({
    EXEC_CREDMON_PROVIDER_NAMES: 'own',
    EXEC_CREDMON_own_COMMAND: `${path} ${args}`,
    EXEC_CREDMON_TIMEOUT: '1',
  });
  on.store('alice/own_h1.top', top);
  return path;
}
const answer = (value: object): string => `cat > /dev/null; echo '${JSON.stringify(value)}'`;
const log = (): string => on.lines.join('\n');

describe('a token program', () => {
  it('gets the request on standard input, its arguments as they are, and a clean environment', async () => {
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

  it('R16 may rotate what stands in .top, which keeps its other keys', async () => {
    program(answer({ access_token: 't1', expires_in: 600, refresh_token: 'r2', scope: 'read write' }));
    await on.pass();
    expect(on.read('alice/own_h1.top')).toEqual({
      scopes: 'read, write',
      audience: 'x',
      mine: 1,
      refresh_token: 'r2',
    });
    expect(on.read('alice/own_h1.use')).not.toHaveProperty('refresh_token');
  });

  it('renews, and keeps the old token through its bad days', async () => {
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

  it.each<[string, string, string]>([
    [
      'ends with an exit code',
      'echo "no key for you" >&2; exit 3',
      'ended with exit code 3; it says: no key for you',
    ],
    ['kills itself', 'kill -9 $$', 'was ended by a signal'],
    ['hangs', 'sleep 60', 'did not answer within 1 s'],
    ['hangs with children and closed pipes', 'sleep 60 & wait', 'did not answer within 1 s'],
    ['floods', 'exec yes', 'wrote more than 262144 bytes'],
    [
      'floods its error output',
      'yes "$(printf "x%080d" 1)" | head -c 300000 >&2; exit 1',
      'ended with exit code 1',
    ],
    ['says nothing', 'true', 'gave an answer that is empty'],
    ['answers HTML', 'echo "<html>"', 'gave an answer that is not JSON'],
    ['answers a list', 'echo "[]"', 'is JSON, but not an object'],
    ['answers without a token', 'echo "{}"', 'holds no access_token'],
    ['answers with a token of another type', `echo '{"access_token":5}'`, 'holds no access_token'],
    ['answers well but fails', `echo '{"access_token":"t"}'; exit 1`, 'ended with exit code 1'],
    [
      'shows a secret in its error output',
      'echo "token eyJCANARYCANARYCANARYCANARY" >&2; exit 1',
      'it says: token [...]',
    ],
  ])('R2 R14 that %s is a failure that time may mend', async (_, script, text) => {
    program(script);
    await on.pass();
    expect(on.has('alice/own_h1.use')).toBe(false);
    expect(log()).toContain(text);
    expect(log()).toContain('tried again in');
    expect(log()).not.toContain('CANARY');
  });

  it.each<[string, object, string]>([
    ['invalid_grant', { error: 'invalid_grant' }, 'the user must remove it'],
    ['invalid_client', { error: 'invalid_client' }, 'the administrator must act'],
    [
      'wider scopes',
      { access_token: 't', scope: 'read write admin' },
      'granted more than was asked for (admin)',
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

  it('R8 that is busy says when to come back', async () => {
    const count = on.secret('count', '');
    program(`echo >> ${count}; ${answer({ error: 'temporarily_unavailable', retry_after: 900 })}; exit 75`);
    await on.pass();
    on.clock.advance(899);
    await on.pass();
    expect(readFileSync(count, 'utf8')).toBe('\n');
    on.clock.advance(2);
    await on.pass();
    expect(readFileSync(count, 'utf8')).toBe('\n\n');
  });

  it.each<[string, string, number, string]>([
    ['others could change', '', 0o777, 'is not safe: others could change'],
    ['may not be executed', '', 0o644, 'cannot be started (EACCES)'],
    ['is not there', '/gone', 0o755, 'cannot be found (ENOTDIR)'],
  ])('that %s is not started', async (_, suffix, mode, text) => {
    const path = on.secret('program', `#!/bin/sh\n${answer({ access_token: 't' })}\n`, mode);
    on.configure({ EXEC_CREDMON_PROVIDER_NAMES: 'own', EXEC_CREDMON_own_COMMAND: `${path}${suffix}` });
    on.store('alice/own.top', '');
    await on.pass();
    expect(log()).toContain(text);
    expect(on.has('alice/own.use')).toBe(false);
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
