// What htgettoken is called with, and what is made of its output.
import { describe, expect, it } from 'vitest';
import { type Run, createStoreCred } from '../../src/storer/programs.ts';
import { parseRequest } from '../../src/storer/arguments.ts';
import { getTokenArguments, vaultLogin } from '../../src/storer/vault-login.ts';

const TAIL = [
  '--vaulttokeninfile=/nonexistent',
  '--vaulttokenfile=/dev/stdout',
  '--outfile=/dev/fd/3',
  '--showbearerurl',
];

describe("htgettoken's arguments", () => {
  it.each([
    ['dune', '-a v.example', ['-a', 'v.example', '-i', 'dune', '--vaulttokenttl=28d', ...TAIL]],
    ['dune_prod', '', ['-i', 'dune', '-r', 'prod', '--vaulttokenttl=28d', ...TAIL]],
    ['dune&options=-q,-v', '', ['-i', 'dune', '-q', '-v', '--vaulttokenttl=28d', ...TAIL]],
    ['dune', '--vaulttokenttl=12d', ['--vaulttokenttl=12d', '-i', 'dune', ...TAIL]],
  ])('%s with %j', (request, options, expected) => {
    expect(getTokenArguments(parseRequest(request), options, true)).toEqual(expected);
    expect(getTokenArguments(parseRequest(request), options, false)).toEqual([
      ...expected,
      '--nooidc',
    ]);
  });
});

describe("htgettoken's output", () => {
  const login = async (output: string): Promise<string[]> => {
    const stored: string[] = [];
    const run: Run = async (program, _, { input }) => {
      if (program === 'sh') return { code: 0, output };
      stored.push(input ?? '');
      return { code: 0, output: '' };
    };
    const context = { run, storeCred: createStoreCred(run, [], 2), stderr: 2, interactive: true };
    await vaultLogin(context, parseRequest('dune'), '');
    return stored;
  };

  it.each([
    'hvs.token\nhttps://v.example:8200/v1/x\nexit 0\n',
    'https://v.example:8200/v1/x\nhvs.token\nexit 0\n',
    'Storing vault token\nhvs.token\nhttps://v.example:8200/v1/x\nexit 0\n',
  ])('%j is token and URL', async (output) => {
    expect(await login(output)).toEqual([
      '{"vault_token":"hvs.token","vault_url":"https://v.example:8200/v1/x"}\n',
    ]);
  });

  it.each([
    ['hvs.token\nexit 0\n', /printed no Vault token and URL/],
    ['https://v.example/v1/x\nexit 0\n', /printed no Vault token and URL/],
    ['exit 3\n', /htgettoken failed for dune \(exit code 3\)/],
    ['', /exit code 1/],
  ])('%j is none', async (output, text) => {
    await expect(login(output)).rejects.toThrow(text);
  });
});
