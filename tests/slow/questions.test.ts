// Questions of the built `condor_credmon` on a real terminal: `init` reads a secret without
// echo, and `revoke` does nothing without a yes.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { executablePath, startProcess } from '@credmon/test-fixtures/processes/processes';
import { afterEach, beforeEach, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'credmon-questions-'));
  chmodSync(place, 0o755);
  mkdirSync(join(place, 'config.d'));
  mkdirSync(join(place, 'creds/alice'), { recursive: true, mode: 0o700 });
  writeFileSync(
    join(place, 'config'),
    `SEC_CREDENTIAL_DIRECTORY_OAUTH = ${place}/creds\nLOG = ${place}\nLOCAL_CONFIG_DIR = ${place}/config.d\n`,
  );
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

/**
 * Runs a command on a terminal. Each answer is typed when the question before it is on the
 * screen; returns all that the screen showed.
 */
async function onTerminal(
  words: readonly string[],
  dialogue: readonly (readonly [question: string, answer: string])[],
): Promise<{ code: number | null; screen: string }> {
  const screen = join(place, 'screen');
  const program = executablePath(root, 'condor_credmon');
  const line = [process.execPath, program, ...words, '--config', join(place, 'config')].join(' ');
  const typing = dialogue.map(
    ([question, answer]) =>
      `until grep -qF '${question}' '${screen}' 2>/dev/null; do sleep 0.05; done; printf '%s\\r' '${answer}'`,
  );
  const shell = `{ ${typing.join('; ')}; } | script -qefc '${line}' '${screen}'`;
  const child = startProcess('sh', ['-c', shell], {
    PATH: process.env['PATH'] ?? '',
    TERM: 'xterm',
  });
  const { code } = await child.exited;
  return { code, screen: readFileSync(screen, 'utf8') };
}

it('init asks, and the secret is neither on the screen nor in an argument', async () => {
  const { screen } = await onTerminal(
    ['init', '--profile', 'orcid', '--client-id', 'APP-1', '--prefix', 'https://ap.example.org'],
    [
      ['Name that users write', ''],
      ['File for the client secret', `${place}/secret`],
      ['Client secret, to be written', 'canary-mistyped\u0015canary-secret'],
    ],
  );
  expect(screen).toContain(`wrote ${place}/config.d/60-credmon.conf`);
  expect(screen).not.toContain('canary');
  expect(readFileSync(join(place, 'secret'), 'utf8')).toBe('canary-secret\n');
  expect(readFileSync(join(place, 'config.d/60-credmon.conf'), 'utf8')).toContain(
    'orcid_CLIENT_ID = APP-1\n',
  );
});

it.each(['TERM', 'HUP', 'QUIT'])(
  'init that SIG%s ends shows again what is typed',
  async (signal) => {
    const [screen, pid, modes] = ['screen', 'pid', 'modes'].map((name) => join(place, name));
    const words = [process.execPath, executablePath(root, 'condor_credmon'), 'init'];
    words.push('--profile', 'orcid', '--provider', 'x', '--client-id', 'APP-1');
    words.push('--prefix', 'https://ap.example.org', '--secret-file', join(place, 'secret'));
    const command = `${words.join(' ')} --config ${join(place, 'config')}`;
    const file = join(place, 'run.sh');
    writeFileSync(
      file,
      `stty -g > ${modes}\nsh -c 'echo $$ > ${pid}; exec ${command}'\nstty -g >> ${modes}\n`,
    );
    const asked = `until grep -qF 'Client secret' ${screen} 2>/dev/null; do sleep 0.05; done`;
    const shell = `{ ${asked}; kill -${signal} $(cat ${pid}); } | script -qefc 'sh ${file}' ${screen}`;
    const child = startProcess('sh', ['-c', shell], {
      PATH: process.env['PATH'] ?? '',
      TERM: 'xterm',
    });
    await child.exited;
    const [before, after] = readFileSync(modes ?? '', 'utf8').split('\n');
    expect(after).toBe(before);
    expect(existsSync(join(place, 'secret'))).toBe(false);
  },
);

it.each(['SIGTSTP', 'Ctrl-Z'])(
  'init that %s stops shows again what is typed, and hides it again when it continues',
  async (by) => {
    const [screen = '', pid = '', modes = '', tty = '', asking = ''] = [
      'screen',
      'pid',
      'modes',
      'tty',
      'asking',
    ].map((name) => join(place, name));
    const words = [process.execPath, executablePath(root, 'condor_credmon'), 'init'];
    words.push('--profile', 'orcid', '--provider', 'x', '--client-id', 'APP-1');
    words.push('--prefix', 'https://ap.example.org', '--secret-file', join(place, 'secret'));
    const command = `${words.join(' ')} --config ${join(place, 'config')}`;
    const file = join(place, 'run.sh');
    const lines = [
      'set -m',
      `tty > ${tty}; stty -g > ${modes}`,
      `sh -c 'echo $$ > ${pid}; exec ${command}'`,
      `stty -g >> ${modes}; fg`,
      `stty -g >> ${modes}`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const asked = (times: number): string =>
      `until [ "$(grep -oF 'empty: later' ${screen} 2>/dev/null | wc -l)" -ge ${times} ]; do sleep 0.05; done`;
    const typing = [
      asked(1),
      by === 'Ctrl-Z' ? `printf '\\032'` : `kill -TSTP $(cat ${pid})`,
      asked(2),
      `stty -F $(cat ${tty}) -a > ${asking}`,
      `printf 'canary-secret\\r'`,
      `until [ "$(wc -l < ${modes})" = 3 ]; do sleep 0.05; done`,
    ];
    const shell = `{ ${typing.join('; ')}; } | script -qefc 'sh ${file}' ${screen}`;
    const child = startProcess('sh', ['-c', shell], {
      PATH: process.env['PATH'] ?? '',
      TERM: 'xterm',
    });
    await child.exited;
    const [before, stopped, after] = readFileSync(modes, 'utf8').split('\n');
    expect([stopped, after]).toEqual([before, before]);
    expect(readFileSync(asking, 'utf8')).toContain('-echo ');
    expect(readFileSync(join(place, 'secret'), 'utf8')).toBe('canary-secret\n');
    expect(readFileSync(screen, 'utf8')).not.toContain('canary');
  },
);

it.each([
  ['of 20 columns cuts lines', 20, true],
  ['that does not say its size cuts none', 0, false],
])('status on a terminal %s', async (_, columns, isCut) => {
  writeFileSync(join(place, 'creds/alice/here.use'), 'x', { mode: 0o600 });
  const screen = join(place, 'screen');
  const words = [process.execPath, executablePath(root, 'condor_credmon'), 'status'];
  const line = `stty cols ${columns}; ${words.join(' ')} --config ${join(place, 'config')}`;
  const child = startProcess('script', ['-qefc', line, screen], {
    PATH: process.env['PATH'] ?? '',
    TERM: 'xterm',
  });
  await child.exited;
  const head = readFileSync(screen, 'utf8')
    .split(/\r?\n/)
    .find((text) => text.startsWith('OWNER'));
  expect([head?.endsWith('~'), head?.endsWith('ERROR')]).toEqual([isCut, !isCut]);
});

it.each([
  ['n', true, 1],
  ['y', false, 0],
])('revoke asks, and %j keeps the token: %s', async (answer, isKept, expected) => {
  const token = join(place, 'creds/alice/here.use');
  writeFileSync(token, 'x', { mode: 0o600 });
  writeFileSync(
    join(place, 'config'),
    `SEC_CREDENTIAL_DIRECTORY_OAUTH = ${place}/creds\nLOG = ${place}\nLOCAL_CREDMON_PROVIDER_NAMES = here\n`,
  );
  const { code, screen } = await onTerminal(
    ['revoke', 'alice'],
    [['Revoke and remove this token of alice: here? [y/N] ', answer]],
  );
  expect([code, existsSync(token)]).toEqual([expected, isKept]);
  expect(screen.includes('Nothing was revoked.')).toBe(isKept);
});
