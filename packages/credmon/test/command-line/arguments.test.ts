// The command line: what each form means, and that misuse is 2 and never silent.
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/command-line/arguments.ts';
import { VERBS } from '../../src/command-line/subcommands.ts';
import { SELECT_ALL } from '../../src/command-line/command.ts';

const common = { name: 'CREDMON_OAUTH', credDir: undefined, configFile: undefined };
const all = { selection: SELECT_ALL, watch: undefined };
const daemon = {
  kind: 'daemon',
  ...common,
  logFile: undefined,
  debug: false,
  verbose: false,
  once: false,
};

describe('the command line', () => {
  it.each([
    ['no arguments: the daemon', [], daemon],
    [
      'the short flags',
      ['-n', 'my_mon', '-c', '/c', '-l', '/l', '-d', '-v'],
      { ...daemon, name: 'MY_MON', credDir: '/c', logFile: '/l', debug: true, verbose: true },
    ],
    ['one pass', ['--once', '--config', '/etc/x'], { ...daemon, once: true, configFile: '/etc/x' }],
    [
      'status',
      ['status', '--json', '--user', 'alice'],
      { kind: 'status', ...common, json: true, user: 'alice', ...all },
    ],
    [
      'status of some tokens, again and again',
      'status --state stopped --state expired --provider mytok --expiring-within 2h --sort expires --watch 5'.split(
        ' ',
      ),
      {
        kind: 'status',
        ...common,
        json: false,
        user: undefined,
        selection: {
          states: ['stopped', 'expired'],
          provider: 'mytok',
          expiringWithin: 7200,
          sort: 'expires',
        },
        watch: 5,
      },
    ],
    [
      'status again and again without a number',
      ['status', '--watch', '--json'],
      { kind: 'status', ...common, json: true, user: undefined, ...all, watch: 2 },
    ],
    [
      'explain',
      ['explain', 'alice', 'mytok', '--handle', 'h1', '--json'],
      {
        kind: 'explain',
        ...common,
        json: true,
        user: 'alice',
        service: 'mytok',
        handle: 'h1',
      },
    ],
    ['check', ['check', '--json'], { kind: 'check', ...common, json: true, user: undefined }],
    [
      'init with some answers',
      'init --profile google --client-id me --secret-file /s --output /o --force'.split(' '),
      {
        kind: 'init',
        ...common,
        profile: 'google',
        provider: undefined,
        issuer: undefined,
        clientId: 'me',
        secretFile: '/s',
        prefix: undefined,
        output: '/o',
        force: true,
      },
    ],
    [
      'check of a user',
      ['check', '--user', 'alice'],
      { kind: 'check', ...common, json: false, user: 'alice' },
    ],
    [
      'check of an older configuration',
      ['check', '--migrate', '/a', '/b'],
      { kind: 'migrate', ...common, files: ['/a', '/b'] },
    ],
    [
      'config dump',
      ['config', 'dump', '^CREDMON', '--expanded'],
      { kind: 'config-dump', ...common, json: false, pattern: '^CREDMON', expanded: true },
    ],
    [
      'config get',
      ['config', 'get', 'LOG', '-v', '-n', 'schedd'],
      { kind: 'config-get', ...common, name: 'SCHEDD', json: false, knob: 'LOG', verbose: true },
    ],
    [
      'usable',
      ['usable', 'alice', 'mytok_h1', '--seconds', '300'],
      { kind: 'usable', ...common, user: 'alice', service: 'mytok_h1', seconds: 300 },
    ],
    [
      'renew',
      ['renew', 'alice', 'mytok_h1'],
      {
        kind: 'renew',
        ...common,
        json: false,
        user: 'alice',
        service: 'mytok_h1',
        timeout: 60,
      },
    ],
    [
      'renew with a time limit',
      ['renew', 'alice', 'mytok', '--timeout', '5', '--json'],
      { kind: 'renew', ...common, json: true, user: 'alice', service: 'mytok', timeout: 5 },
    ],
    [
      'revoke all of a user',
      ['revoke', 'alice'],
      {
        kind: 'revoke',
        ...common,
        json: false,
        user: 'alice',
        service: undefined,
        dryRun: false,
        yes: false,
      },
    ],
    [
      'revoke one token',
      ['revoke', 'alice', 'mytok_h1', '--json', '--dry-run', '-y'],
      {
        kind: 'revoke',
        ...common,
        json: true,
        user: 'alice',
        service: 'mytok_h1',
        dryRun: true,
        yes: true,
      },
    ],
    [
      'keys list',
      ['keys', 'list', '--provider', 'wlcg', '--json'],
      { kind: 'keys-list', ...common, json: true, provider: 'wlcg' },
    ],
    [
      'keys rotate',
      ['keys', 'rotate', '--begin', '--algorithm', 'RS256'],
      {
        kind: 'keys-rotate',
        ...common,
        json: false,
        provider: undefined,
        begin: true,
        algorithm: 'RS256',
      },
    ],
    [
      'keys publish',
      ['keys', 'publish', '/srv/www'],
      { kind: 'keys-publish', ...common, json: false, provider: undefined, directory: '/srv/www' },
    ],
    ['standing list', ['standing', 'list'], { kind: 'standing-list', ...common, json: false }],
    [
      'standing login',
      ['standing', 'login', 'ce_1'],
      { kind: 'standing-login', ...common, token: 'ce_1' },
    ],
    [
      'token',
      ['token', 'frontend', '--audience', 'a', '--audience', 'b', '--scope', 's t'],
      {
        kind: 'token',
        ...common,
        provider: 'frontend',
        audience: ['a', 'b'],
        scopes: ['s t'],
        subject: undefined,
        lifetime: undefined,
        output: undefined,
        owner: undefined,
        print: false,
        json: false,
      },
    ],
    [
      'token with everything',
      ['token', '--subject', 'x', '--lifetime', '60', '--output', '/t', '--print', '--json', 'p'],
      {
        kind: 'token',
        ...common,
        provider: 'p',
        audience: [],
        scopes: [],
        subject: 'x',
        lifetime: 60,
        output: '/t',
        owner: undefined,
        print: true,
        json: true,
      },
    ],
    [
      'status with a directory',
      ['status', '-c', '/c'],
      { kind: 'status', ...common, credDir: '/c', json: false, user: undefined, ...all },
    ],
  ])('%s', async (_, argv, expected) => {
    expect(await parseArguments(argv, '1.2.3')).toEqual(expected);
  });

  it.each([
    ['an unknown flag', ['--bogus']],
    ['an unknown subcommand', ['frobnicate']],
    ['an unknown flag of a subcommand', ['status', '--once']],
    ['a secret as an option of init', ['init', '--client-secret', 'x']],
    ['an unknown state', ['status', '--state', 'good']],
    ['an unknown column', ['status', '--sort', 'colour']],
    ['a pause of zero seconds', ['status', '--watch', '0']],
    ['a time without a number', ['status', '--expiring-within', 'soon']],
    ['a flag without its value', ['-c']],
    ['config without dump or get', ['config']],
    ['config get without a knob', ['config', 'get']],
    ['usable without a service', ['usable', 'alice']],
    ['revoke without a user', ['revoke']],
    ['keys without a verb', ['keys']],
    ['token without a provider', ['token']],
    ['token with two providers', ['token', 'a', 'b']],
    ['token with a lifetime that is not a number', ['token', 'a', '--lifetime', '1h']],
    ['standing without a verb', ['standing']],
    ['standing login without a name', ['standing', 'login']],
  ])('%s: usage on standard error, exit 2', async (_, argv) => {
    const result = await parseArguments(argv, '1.2.3');
    expect(result).toMatchObject({ kind: 'text', exitCode: 2, toStderr: true });
    expect(result.kind === 'text' && result.text).toMatch(/^condor_credmon: .+\n\ncondor_credmon/);
  });

  it.each(['abc', '-1', '1.5', '1e3', '', ' 5', '0x10', 'NaN', 'Infinity', '99999999999999999999'])(
    'usable --seconds %j is a usage error',
    async (text) => {
      const result = await parseArguments(
        ['usable', 'alice', 'mytok', `--seconds=${text}`],
        '1.2.3',
      );
      expect(result).toMatchObject({ kind: 'text', exitCode: 2, toStderr: true });
      expect(result.kind === 'text' && result.text.split('\n', 1)[0]).toBe(
        `condor_credmon: --seconds must be a whole number of seconds, 0 or more, but is ${JSON.stringify(text)}`,
      );
    },
  );

  it.each([
    ['a negative number after a blank', ['--seconds', '-1']],
    ['two values', ['--seconds', '1', '--seconds', '2']],
    ['no value', ['--seconds']],
  ])('usable --seconds with %s is misuse', async (_, argv) => {
    const result = await parseArguments(['usable', 'alice', 'mytok', ...argv], '1.2.3');
    expect(result).toMatchObject({ kind: 'text', exitCode: 2, toStderr: true });
  });

  it.each([
    [[], 0],
    [['--seconds', '0'], 0],
    [['--seconds=007'], 7],
    [['--seconds', '86400'], 86_400],
  ])('usable %j asks for %d seconds', async (argv, seconds) => {
    expect(await parseArguments(['usable', 'alice', 'mytok', ...argv], '1.2.3')).toMatchObject({
      kind: 'usable',
      seconds,
    });
  });

  it.each([
    ['--version', /^1\.2\.3$/],
    ['--help', /--cred-dir/],
    ['-h', /--cred-dir/],
  ])('%s prints and exits 0', async (flag, text) => {
    const result = await parseArguments([flag], '1.2.3');
    expect(result).toMatchObject({ kind: 'text', exitCode: 0, toStderr: false });
    expect(result.kind === 'text' && result.text).toMatch(text);
  });

  it.each([
    [['status', '--cred-dir'], /^condor_credmon status\n/],
    [['revoke'], /^condor_credmon revoke <user> \[service\]\n/],
    [['usable', 'alice'], /^condor_credmon usable <user> <service>\n/],
    [['config', 'get'], /^condor_credmon config get <knob>\n/],
    [['config'], /^condor_credmon config\n[^]*condor_credmon config dump/],
    [['keys', 'rotate', '--algorithm', 'HS256'], /^condor_credmon keys rotate\n/],
    [['standing'], /^condor_credmon standing\n[^]*condor_credmon standing login/],
    [['--bogus'], /^condor_credmon \[options\]\n/],
  ])('misuse such as %j shows the usage of what was asked for', async (argv, usage) => {
    const result = await parseArguments(argv, '1.2.3');
    expect(result.kind === 'text' && result.text.slice(result.text.indexOf('\n\n') + 2)).toMatch(
      usage,
    );
  });

  const commands = Object.entries(VERBS).flatMap(([word, verbs]) => [
    word,
    ...verbs.map((verb) => `${word} ${verb}`),
  ]);
  it.each(['', ...commands])('the help of "%s" has examples, and each is valid', async (words) => {
    const help = await parseArguments([...words.split(' ').filter(Boolean), '--help'], '1.2.3');
    const text = help.kind === 'text' ? help.text : '';
    const shown = /\nExamples:\n((?: {2}\S.*\n?)+)$/.exec(text)?.[1] ?? '';
    const lines = shown
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    const examples = lines.filter((line) => !line.startsWith('#'));
    // Each has a comment before it.
    expect([examples.length > 0, lines.length]).toEqual([true, examples.length * 2]);
    for (const line of examples) {
      const argv = line.split(' ').slice(1);
      expect([line.slice(0, line.indexOf(' ')), argv.slice(0, words.split(' ').length)]).toEqual([
        'condor_credmon',
        words === '' ? argv.slice(0, 1) : words.split(' '),
      ]);
      expect((await parseArguments(argv, '1.2.3')).kind).not.toBe('text');
    }
  });

  it.each([
    [['chek'], 'did you mean check?'],
    [['stauts', '--json'], 'did you mean status?'],
    [['keys', 'lst'], 'did you mean keys list?'],
    [['status', '--state', 'frsh'], 'did you mean "fresh"?'],
  ])('%j is near to a subcommand', async (argv, text) => {
    const result = await parseArguments(argv, '1.2.3');
    expect(result.kind === 'text' && result.text.split('\n')[0]).toContain(text);
  });

  it.each(['frobnicate', '--bogus', 'revoke'])('%s is not', async (word) => {
    const result = await parseArguments([word], '1.2.3');
    expect(result.kind === 'text' && result.text.split('\n')[0]).not.toContain('did you mean');
  });

  it('help fits 80 columns', async () => {
    const help = await parseArguments(['--help'], '1.2.3');
    const lines = help.kind === 'text' ? help.text.split('\n') : [];
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });
});
