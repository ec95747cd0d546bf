// config get and config dump: what is printed of a knob that nobody set.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { runConfigDump, runConfigGet } from '../../src/commands/config.ts';

const root = mkdtempSync(join(tmpdir(), 'credmon-config-'));
const options = { credDir: undefined, name: 'CREDMON_OAUTH', json: false };
let files = 0;

/** A configuration with this text; the exit code, standard output and standard error. */
function get(
  knob: string,
  text = '',
  more: { readonly verbose?: boolean; readonly json?: boolean } = {},
): [number, string, string] {
  const output: string[] = [];
  const errors: string[] = [];
  const command = { ...options, verbose: false, ...more, configFile: fileOf(text), knob };
  const code = runConfigGet(
    { kind: 'config-get', ...command },
    {},
    (line) => output.push(line),
    (line) => errors.push(line),
  );
  return [code, output.join('\n'), errors.join('\n')];
}

function dump(pattern: string, text: string, json = false): string[] {
  const output: string[] = [];
  const command = { ...options, json, configFile: fileOf(text), pattern, expanded: false };
  runConfigDump({ kind: 'config-dump', ...command }, {}, (line) => output.push(line));
  return output.join('\n').split('\n');
}

function fileOf(text: string): string {
  const file = join(root, `config-${(files += 1)}`);
  writeFileSync(file, `NETWORK_HOSTNAME = ap.example\n${text}`);
  return file;
}

describe('config get prints the default of a knob that is not set', () => {
  it.each([
    ['a number', 'CREDMON_RENEW_FRACTION', '0.5'],
    ['a name in another case', 'credmon_renew_fraction', '0.5'],
    ['an integer', 'CREDMON_RENEWALS_PER_ISSUER', '16'],
    ['a duration', 'EXEC_CREDMON_TIMEOUT', '30'],
    ['a duration of 0', 'CREDMON_LOCAL_KEY_ROTATE', '0'],
    ['a boolean', 'CREDMON_ALLOW_LOOPBACK_HTTP', 'false'],
    ['a list', 'CREDMON_WEB_TRUSTED_PROXIES', '127.0.0.1, ::1'],
    ['a path', 'LOCAL_CREDMON_PRIVATE_KEY', '/etc/condor/scitokens-private.pem'],
    ['a text', 'CREDMON_WEB_LISTEN', '127.0.0.1:8081'],
    ['a text with a macro', 'CREDMON_WEB_PREFIX', 'https://ap.example'],
    ['a knob of a kind of client', 'EXCHANGE_CREDMON_CLIENT_AUTH', 'post'],
    ['a knob of a provider', 'CREDMON_mytok_TOKEN_USE_JSON', 'true'],
    ["a knob of our own in HTCondor's table", 'LOCAL_CREDMON_TOKEN_VERSION', 'scitoken:2.0'],
    ["a knob of HTCondor's", 'MAX_DEFAULT_LOG', '10 Mb'],
  ])('%s: %s', (_what, knob, value) => {
    expect(get(knob)).toEqual([0, value, '']);
  });

  it.each([
    ['is unknown', 'CREDMON_RENEW_FRACTOIN', ''],
    ['is not ours', 'NO_SUCH_KNOB', ''],
    ['has no default', 'CREDMON_WEB_CONTACT', ''],
    ["is HTCondor's, without a default in its table", 'SEC_CREDENTIAL_REFRESH', ''],
    ['is for one provider, where the shared one counts', 'EXEC_CREDMON_lab_TIMEOUT', ''],
    ['is for one program', 'CREDMON_OAUTH.CREDMON_RENEW_FRACTION', ''],
    [
      'has a default that depends on others',
      'CREDMON_OAUTH_TOKEN_REFRESH',
      ' (default: half of CREDMON_OAUTH_TOKEN_MINIMUM)',
    ],
    ['is required', 'CREDMON_STANDING_x_PATH', ' (default: none; required)'],
  ])('but not of one that %s: %s', (_what, knob, note) => {
    expect(get(knob)).toEqual([1, '', `Not defined: ${knob}${note}`]);
  });

  test('nor of one that is set to nothing', () => {
    expect(get('CREDMON_RENEW_FRACTION', 'CREDMON_RENEW_FRACTION =\n')).toEqual([
      1,
      '',
      'Not defined: CREDMON_RENEW_FRACTION',
    ]);
  });
});

describe('config get says that it is the default', () => {
  it.each([
    ['CREDMON_RENEW_FRACTION', '0.5', '0.5'],
    ['CREDMON_WEB_PREFIX', 'https://ap.example', 'https://$(FULL_HOSTNAME)'],
  ])('-v: %s', (knob, value, raw) => {
    expect(get(knob, '', { verbose: true })).toEqual([
      0,
      `${knob} = ${value}\n # at: <Default>\n # raw: ${knob} = ${raw}`,
      '',
    ]);
  });

  test('--json', () => {
    const [code, output] = get('CREDMON_RENEW_JITTER', '', { json: true });
    expect([code, JSON.parse(output)]).toEqual([
      0,
      { name: 'CREDMON_RENEW_JITTER', value: '0.1', raw: '0.1', origin: '<Default>' },
    ]);
  });

  test('-v shows the default beside another value', () => {
    const text = 'CREDMON_RENEW_FRACTION = 0.7\n';
    const [code, output] = get('CREDMON_RENEW_FRACTION', text, { verbose: true });
    expect([code, output.split('\n').slice(1)]).toEqual([
      0,
      [
        expect.stringMatching(/^ # at: \/.*, line 2$/),
        ' # raw: CREDMON_RENEW_FRACTION = 0.7',
        ' # default: 0.5',
      ],
    ]);
  });
});

describe('config dump', () => {
  test('lists the defaults of our own knobs with the others, by name', () => {
    const lines = dump('^credmon_(renew|first)', 'CREDMON_RENEW_JITTER = 0.2\n');
    expect(lines.filter((line) => line.startsWith('CREDMON_'))).toEqual([
      'CREDMON_FIRST_RETRY = 10',
      'CREDMON_RENEW_FRACTION = 0.5',
      'CREDMON_RENEW_JITTER = 0.2',
      'CREDMON_RENEWALS_PER_ISSUER = 16',
    ]);
  });

  test('--json says which are defaults', () => {
    const text = dump('^credmon_renew_', 'CREDMON_RENEW_JITTER = 0.2\n', true).join('\n');
    expect(JSON.parse(text)).toEqual([
      { name: 'CREDMON_RENEW_FRACTION', value: '0.5', raw: '0.5', origin: '<Default>' },
      {
        name: 'CREDMON_RENEW_JITTER',
        value: '0.2',
        raw: '0.2',
        origin: expect.stringMatching(/, line 2$/) as string,
      },
    ]);
  });
});
