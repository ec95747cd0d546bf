// The commands in docs: for each block, a test runs it or the page says why not; and the
// programs have every option that a page names.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { parseArguments as parseDaemon } from '../../packages/credmon/src/command-line/arguments.ts';
import { parseArguments as parsePortal } from '../../packages/webserver/src/cli/arguments.ts';
import { commandNote, sitePages } from '../../scripts/site/pages.mjs';
import {
  blocksOf,
  blocksToRun,
  commandsIn,
  hasCommands,
  PROMPT,
  type Block,
} from '../support/page-blocks.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = Object.keys(sitePages(root));
const read = (page: string): string => readFileSync(join(root, page), 'utf8');

/** The test that runs the blocks of a page with a mark, by page and mark. */
const RUN = JSON.parse(read('site/commands.json')) as Readonly<
  Record<string, Readonly<Record<string, string>>>
>;

/** Their blocks are examples of a library and of changes, which other tests run. */
const EXEMPT = new Set(['CHANGELOG.md', 'packages/core/README.md']);

const runBy = ({ page, info }: Block): string | undefined => RUN[page]?.[info ?? ''];
const blocks = pages.filter((page) => !EXEMPT.has(page)).flatMap((page) => blocksOf(page));
/** The commands that some test runs. */
const tested = new Set(blocks.filter(runBy).flatMap(commandsIn));

/** The lines of all code of a page. */
const codeLines = (page: string): string[] =>
  blocksOf(page, read(page).replaceAll(/ \\\n\s*/g, ' ')).flatMap(({ text }) => text.split('\n'));

/** What is missing at a block: a test that runs it, or a reason that readers see. */
function whyNotAccepted(block: Block): string | undefined {
  if (!hasCommands(block) || runBy(block) !== undefined) return undefined;
  if (block.reason !== undefined) return undefined;
  const missing = commandsIn(block).filter((command) => !tested.has(command));
  return missing.length === 0 ? undefined : `${block.page}:${block.line} ${missing.join('; ')}`;
}

/** Commands of these programs as the pages write them, without what the shell takes. */
function commandsOf(page: string, program: string): string[] {
  const start = new RegExp(`${PROMPT}${program} (.+)$`);
  return codeLines(page).flatMap((line) => {
    const words = start.exec(line)?.[1];
    if (words === undefined || /[|[─…]|\.\.\./.test(words)) return [];
    return [words.replace(/(?:^|\s+)(?:#|>|\d>|&|;).*$/, '').trim()];
  });
}

const words = (command: string): string[] =>
  [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

describe('every block of commands', () => {
  it('is run by a test, or the page shows the reason beside it', () => {
    expect(blocks.flatMap((block) => whyNotAccepted(block) ?? [])).toEqual([]);
  });

  const page = (text: string): Block[] => blocksOf('docs/none.md', text);
  it.each([
    ['a block without both', '# A\n\n    condor_credmon explain a b\n', 'docs/none.md:3'],
    ['a fence without both', '# A\n\n```sh\nls /nowhere\n```\n', 'docs/none.md:3'],
    ['a prompt', '# A\n\n```\n$ condor_credmon explain a b\nx\n```\n', 'docs/none.md:3'],
    [
      'a reason of another section',
      '# A\n\n## B\n\n_The commands in this section are not run by a test: why._\n\n## C\n\n```sh\nls /nowhere\n```\n',
      'docs/none.md:9',
    ],
    ['an unknown mark', '# A\n\n```sh run\nls /nowhere\n```\n', 'docs/none.md:3'],
  ])('%s is found', (_what, text, place) => {
    expect(page(text).map((block) => whyNotAccepted(block)?.split(' ')[0])).toEqual([place]);
  });

  it.each([
    ['a reason above', '_Not run by a test: why._\n\n    condor_credmon explain a b\n'],
    ['a reason below', '```sh\nls /nowhere\n```\n\n_Not run by a test: why._\n'],
    [
      'a reason for the page',
      '# A\n\n_The commands on this page are not run by a test: why._\n\n## B\n\n```sh\nls\n```\n',
    ],
    [
      'commands that a test runs elsewhere',
      '```sh\ncondor_restart\ncondor_credmon   check # all\n```\n',
    ],
    ['a synopsis', '    condor_credmon --once [--config FILE]\n'],
    ['a configuration', '    LOG = /var/log\n'],
  ])('%s is accepted', (_what, text) => {
    expect(page(text).map((block) => whyNotAccepted(block))).toEqual([undefined]);
  });
});

const named = Object.entries(RUN).flatMap(([page, marks]) =>
  Object.entries(marks).map(([info, path]) => [page, info, path] as const),
);
test.each(named)('%s has blocks "%s", and %s reads them', (page, info, path) => {
  expect(blocksToRun(page, info)).not.toEqual([]);
  const source = read(path);
  const names = [
    page,
    page.replace('docs/', ''),
    page.replace(/^docs\/(recipes|providers)\/.*$/, 'docs/$1'),
  ];
  expect(names.filter((name) => source.includes(name))).not.toEqual([]);
});

test('the site names the tests below the page', () => {
  expect(
    commandNote({ sh: 'tests/a.test.ts', 'sh run': 'tests/a.test.ts' }, 'https://c.example'),
  ).toBe(
    '\n---\n\n_Commands on this page:_ tested by [tests/a.test.ts](https://c.example/blob/main/tests/a.test.ts).\n',
  );
  expect(commandNote(undefined, '')).toBe('');
});

describe('every command of a page is one that the program has', () => {
  const daemon = pages.flatMap((page) =>
    commandsOf(page, 'condor_credmon').map((command) => [command, page] as const),
  );
  const portal = pages.flatMap((page) =>
    commandsOf(page, 'condor_credmon_webserver').map((command) => [command, page] as const),
  );

  it('finds commands', () => {
    expect([daemon.length > 40, portal.length > 10]).toEqual([true, true]);
  });

  it.each(daemon)('condor_credmon %s (%s)', async (command) => {
    const parsed = await parseDaemon(words(command), '0');
    expect(parsed).not.toMatchObject({ exitCode: 2 });
  });

  it.each(portal)('condor_credmon_webserver %s (%s)', async (command) => {
    const parsed = await parsePortal(words(command), '0');
    expect(parsed).not.toMatchObject({ exitCode: 2 });
  });
});
