// The command line.
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/arguments.ts';

const serve = { kind: 'serve', json: false, configFile: undefined, listen: undefined };

describe('arguments', () => {
  it.each([
    [[], serve],
    [['--check'], { ...serve, kind: 'check' }],
    [['--check', '--json'], { ...serve, kind: 'check', json: true }],
    [['--config', '/etc/c'], { ...serve, configFile: '/etc/c' }],
    [['--listen', 'unix:/s'], { ...serve, listen: { kind: 'unix', path: '/s' } }],
    [
      ['--print-proxy-config', 'nginx', '--config', '/etc/c'],
      { kind: 'proxy-config', proxy: 'nginx', configFile: '/etc/c' },
    ],
    [['--listen=fd:3'], { ...serve, listen: { kind: 'fd', descriptor: 3 } }],
  ])('%j', async (argv, expected) => {
    expect(await parseArguments(argv, '1.2.3')).toEqual(expected);
  });

  it('print version and help', async () => {
    expect(await parseArguments(['--version'], '1.2.3')).toEqual({
      kind: 'text',
      text: '1.2.3',
      exitCode: 0,
    });
    for (const flag of ['--help', '-h'])
      expect(await parseArguments([flag], '1.2.3')).toMatchObject({
        text: expect.stringContaining('--listen'),
        exitCode: 0,
      });
  });

  it.each([
    [['--nonsense']],
    [['serve']],
    [['--print-proxy-config', 'squid']],
    [['--print-proxy-config', 'nginx', '--check']],
    [['--listen', 'x']],
    [['--config']],
  ])('%j is invalid: usage and exit code 2', async (argv) => {
    expect(await parseArguments(argv, '1.2.3')).toEqual({
      kind: 'text',
      text: expect.stringMatching(
        /^condor_credmon_webserver: .+\n\ncondor_credmon_webserver \[options\]/,
      ),
      exitCode: 2,
    });
  });
});

it('the help has examples, and each is valid', async () => {
  const help = await parseArguments(['--help'], '1');
  const text = help.kind === 'text' ? help.text : '';
  const lines = [...text.matchAll(/^ {2}condor_credmon_webserver (.*)$/gm)];
  expect([lines.length, text.includes('\nExamples:\n')]).toEqual([3, true]);
  for (const [, words = ''] of lines)
    expect((await parseArguments(words.split(' '), '1')).kind).not.toBe('text');
});
