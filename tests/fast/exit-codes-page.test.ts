// docs/exit-codes.md is made from the tables of the programs, which their help prints.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';
import { parseArguments } from '../../packages/credmon/src/command-line/arguments.ts';
import { COMMON_EXITS, EXITS } from '../../packages/credmon/src/command-line/exit-codes.ts';
import { VERBS } from '../../packages/credmon/src/command-line/subcommands.ts';
import {
  EXITS as PORTAL,
  parseArguments as parsePortal,
} from '../../packages/webserver/src/cli/arguments.ts';

const path = fileURLToPath(new URL('../../docs/exit-codes.md', import.meta.url));

const HEAD = `# Exit codes

<!-- made from the programs: UPDATE_DOCS=1 npx vitest run tests/fast/exit-codes-page -->

All programs use 0 for success, 1 for something that was found wrong or failed, and 2 for a wrong command line. \`--help\` of a command has the same list.

`;
const FOOT = `
Details: [the daemon](admin-guide.md#signals-and-exit-codes), [revoke](admin-guide.md#revoke-tokens), [check](admin-guide.md#check-the-configuration),
[the portal](web.md#command-line), [device logins](device-login.md), [scitokens](scitokens.md).
`;

type Meanings = Readonly<Record<number, string>>;

/** A row: what 0, 1 and the other codes mean, without the meaning that all commands share. */
function row(command: string, meanings: Meanings): string {
  const { 0: zero = '', 1: one = '', ...others } = meanings;
  const rest = Object.entries(others)
    .filter(([code, text]) => !(code === '2' && text === COMMON_EXITS[2]))
    .map(([code, text]) => `${code}: ${text}`);
  return `| \`${command}\` | ${zero} | ${one || COMMON_EXITS[1]} | ${rest.join('. ')} |`;
}

function pageText(): string {
  const rows = [
    ...Object.entries(EXITS).map(([words, meanings]) =>
      row(`condor_credmon ${words}`.trim(), meanings),
    ),
    ...Object.entries(PORTAL).map(([words, meanings]) =>
      row(`condor_credmon_webserver ${words}`.trim(), meanings),
    ),
  ];
  const head = ['| program and command | 0 | 1 | other |', '| --- | --- | --- | --- |'];
  return `${HEAD}${[...head, ...rows].join('\n')}\n${FOOT}`;
}

const leaves = Object.entries(VERBS).flatMap(([word, verbs]) =>
  verbs.length === 0 ? [word] : verbs.map((verb) => `${word} ${verb}`),
);

it('every command has its row', () => {
  const named = Object.keys(EXITS).filter((name) => !name.includes('--') && name !== '');
  expect(named.sort()).toEqual([...leaves].sort());
});

it.each(['', ...leaves])('the help of "%s" has the same list', async (words) => {
  const help = await parseArguments([...words.split(' ').filter(Boolean), '--help'], '0');
  const [, shown = ''] = /\nExit codes:\n([^]*?)\n\n/.exec('text' in help ? help.text : '') ?? [];
  const entry = EXITS[words] ?? {};
  const said = shown.split('\n').map((line) => /^ +(\d+) +(.*)$/.exec(line)?.slice(1) ?? [line]);
  expect(Object.fromEntries(said)).toEqual({ ...COMMON_EXITS, ...entry });
});

it('the help of the portal has the same list', async () => {
  const help = await parsePortal(['--help'], '0');
  const text = 'text' in help ? help.text : '';
  for (const [code, meaning] of Object.entries(PORTAL['']))
    expect(text).toMatch(new RegExp(`^ +${code} +${meaning}$`, 'm'));
});

it('docs/exit-codes.md is made from these tables (UPDATE_DOCS=1 writes it again)', async () => {
  const options = await resolveConfig(path);
  const wanted = await format(pageText(), { ...options, parser: 'markdown' });
  if (process.env['UPDATE_DOCS']) writeFileSync(path, wanted);
  expect(readFileSync(path, 'utf8')).toBe(wanted);
});
