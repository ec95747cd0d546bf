// The plain forms give what the parser of arguments gives, and everything else is left to it.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseArguments } from '../../src/command-line/arguments.ts';
import { plainCommand } from '../../src/command-line/command.ts';

const VERSION = '1.2.3';
const plain = (line: string) => plainCommand(line.split(' ').filter(Boolean), VERSION);

it.each([
  '',
  '--version',
  '--once',
  '-l /var/log/condor/CredMonOAuthLog',
  '-c /creds -l log --once --config /etc/condor/condor_config',
  'status',
  'status --json',
  'status --user alice --json --config condor_config',
  '--config c status',
  'config get LOG',
  'config get LOG --json -c /creds',
  'usable alice mytok',
  'usable alice mytok_handle --config /c.conf',
])('is plain, and the same command: condor_credmon %s', async (line) => {
  const words = line.split(' ').filter(Boolean);
  expect(plain(line)).toEqual(await parseArguments(words, VERSION));
});

it.each([
  '--help',
  '--version --json',
  '-v',
  '-d',
  '-n X',
  '--config',
  '--config=/c',
  '--config /a --config /b',
  '-c -l',
  '-lfile',
  'status extra',
  'status --once',
  'status --user 7',
  'status --user alice --user bob',
  'usable alice',
  'usable alice mytok --seconds 60',
  'usable alice mytok --json',
  'usable alice 5e3',
  'config get',
  'config get LOG -v',
  'config dump',
  'config set X',
  'config get help',
  'status --json false',
  'config get LOG --json true',
  'no-such-command',
  '-- status',
  '--json',
  '--no-json',
])('is left to the parser: condor_credmon %s', (line) => {
  expect(plain(line)).toBeUndefined();
});

it('an empty argument is left to the parser', () => {
  expect(plainCommand(['usable', '', 'x'], VERSION)).toBeUndefined();
  expect(plainCommand(['--config', ''], VERSION)).toBeUndefined();
});

it('an option of a command before the command is left to the parser', () => {
  expect(plainCommand(['--json', 'status'], VERSION)).toBeUndefined();
  expect(plainCommand(['--user', 'alice', 'status'], VERSION)).toBeUndefined();
  expect(plainCommand(['config', '--json', 'get', 'LOG'], VERSION)).toBeUndefined();
  expect(plainCommand(['-c', '/x', 'status', '--json'], VERSION)).toMatchObject({ json: true });
});

const WORDS = (
  'status usable config get alice mytok LOG 7 - -- --json --once --user --config -c -l ' +
  '--log-file --cred-dir /x/y --version --help -x --json=true a.b __proto__ constructor true false help '
).split(' ');

it('any mixture of the words is the same command, or left to the parser', async () => {
  const mixtures = fc.sample(fc.array(fc.constantFrom(...WORDS), { maxLength: 6 }), 400);
  const plainOnes = mixtures.filter((argv) => plainCommand(argv, VERSION) !== undefined);
  const found = plainOnes.map((argv) => plainCommand(argv, VERSION));
  const parsed = await Promise.all(plainOnes.map((argv) => parseArguments(argv, VERSION)));
  expect(found).toEqual(parsed);
});
