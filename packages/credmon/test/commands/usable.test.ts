// usable: what a script asks before it starts a job.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runUsableCommand } from '../../src/commands/usable.ts';

const root = mkdtempSync(join(tmpdir(), 'credmon-usable-'));
const directory = join(root, 'creds');
mkdirSync(directory);
chmodSync(directory, 0o2770);
const file = join(root, 'condor_config');
writeFileSync(
  file,
  [
    `SEC_CREDENTIAL_DIRECTORY_OAUTH = ${directory}`,
    `LOG = ${root}`,
    'CREDMON_hub_PROFILE = github',
    'CREDMON_long_DEFAULT_TOKEN_LIFETIME = 7200',
    '',
  ].join('\n'),
);
const now = Math.floor(Date.now() / 1000);

function seed(user: string, name: string, text: string): void {
  mkdirSync(join(directory, user), { recursive: true, mode: 0o700 });
  writeFileSync(join(directory, user, name), text, { mode: 0o600 });
}
const use = (left: number): string =>
  JSON.stringify({ access_token: 'a', issued_at: now - 100, expires_at: now + left });

seed('alice', 'good.use', use(1000));
seed('alice', 'expired.use', use(-5));
seed('alice', 'broken.use', '[]');
seed('bob', 'timeless.use', `{"access_token":"a","issued_at":${now},"does_not_expire":true}`);
for (const name of ['hub', 'long', 'plain']) {
  seed('bob', `${name}.use`, 'opaque\n');
  utimesSync(join(directory, 'bob', `${name}.use`), now - 2000, now - 2000);
}
seed('bob', 'long_odd.use', '{"access_token":"a","expires_at":"soon"}');
utimesSync(join(directory, 'bob', 'long_odd.use'), now - 2000, now - 2000);
seed('alice', 'requested.top', 'x');
mkdirSync(join(root, 'elsewhere'));
writeFileSync(join(root, 'elsewhere', 'good.use'), use(1000));
symlinkSync(join(root, 'elsewhere'), join(directory, 'linked'));

async function usable(user: string, service: string, seconds: number): Promise<[number, string[]]> {
  const lines: string[] = [];
  const options = { configFile: file, credDir: undefined, name: 'CREDMON_OAUTH' };
  const code = await runUsableCommand(
    { kind: 'usable', ...options, user, service, seconds },
    {},
    (text) => lines.push(text),
  );
  return [code, lines];
}

it.each([
  ['is usable with enough lifetime left', 'alice', 'good', 900, 0, /^$/],
  ['is not with less', 'alice', 'good', 2000, 1, /^alice\/good: expires in (1000|9\d\d) s$/],
  ['is not when it has expired', 'alice', 'expired', 0, 1, /^alice\/expired: expired$/],
  ['is when it does not expire', 'bob', 'timeless', 4e9, 0, /^$/],
  ['is when tokens of its provider do not expire', 'bob', 'hub', 4e9, 0, /^$/],
  ['is for the lifetime of its provider', 'bob', 'long', 5000, 0, /^$/],
  ['is for that lifetime if it has none of use', 'bob', 'long_odd', 5000, 0, /^$/],
  ['is not for longer', 'bob', 'long', 5500, 1, /^bob\/long: expires in 5[12]\d\d s$/],
  ['is not after the general lifetime', 'bob', 'plain', 0, 1, /^bob\/plain: expired$/],
  [
    'is not when its file is invalid',
    'alice',
    'broken',
    0,
    1,
    /^alice\/broken: \.use is JSON, but/,
  ],
  [
    'is not when it was only requested',
    'alice',
    'requested',
    0,
    1,
    /^alice\/requested: no such token$/,
  ],
  ['is not for an unknown user', 'bob', 'good', 0, 1, /^bob\/good: no such token$/],
  ['is not behind a link', 'linked', 'good', 0, 1, /^linked\/good: no such token$/],
  ['is not outside the directory', '..', 'good', 0, 1, /^\.\.\/good: no such token$/],
])('a token %s', async (_, user, service, seconds, code, line) => {
  const [got, said] = await usable(user, service, seconds);
  expect([got, said.join('; ')]).toEqual([code, expect.stringMatching(line)]);
});

it('reads other settings only for a token whose lifetime they tell', async () => {
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, `${text}CREDMON_RENEW_FRACTION = much\n`);
  expect(await usable('alice', 'good', 900)).toEqual([0, []]);
  await expect(usable('bob', 'plain', 0)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  writeFileSync(file, text);
});

it('reads only this token: the directory need not be listable', async () => {
  chmodSync(join(directory, 'alice'), 0o100);
  expect(await usable('alice', 'good', 900)).toEqual([0, []]);
  chmodSync(join(directory, 'alice'), 0o700);
  expect(readdirSync(join(directory, 'alice'))).toHaveLength(4);
});
