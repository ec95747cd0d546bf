// The commands in docs: a test runs them or the site says why not, and the programs have
// every option that a page names.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { parseArguments as parseDaemon } from '../../packages/credmon/src/command-line/arguments.ts';
import { parseArguments as parsePortal } from '../../packages/webserver/src/cli/arguments.ts';
import { commandNote, sitePages } from '../../scripts/site/pages.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = Object.keys(sitePages(root));
const read = (page: string): string => readFileSync(join(root, page), 'utf8');

interface Entry {
  readonly run: readonly string[];
  readonly reason?: string;
}

const entries = JSON.parse(read('site/commands.json')) as Readonly<Record<string, Entry>>;

const PROMPT = /^(?:\s*|\s*[$#] )(?:sudo (?:-u \w+ )?)?/.source;
const PROGRAMS =
  /(?:npm (?:run|test|install)|condor_\w+ (?:-|[a-z$])|scitokens[a-z-]* [a-z-]|systemctl |apt-get |dnf |curl -?|podman|openssl )/
    .source;
const COMMAND = new RegExp(`${PROMPT}${PROGRAMS}`);

/** The lines of all code of a page: fenced, and indented by at least four spaces. */
function codeLines(text: string): string[] {
  let fence = false;
  return text.split('\n').filter((line) => {
    if (/^\s*(?:```|~~~)/.test(line)) {
      fence = !fence;
      return false;
    }
    return fence || /^ {4}/.test(line);
  });
}

/** Commands of these programs as the pages write them, without what the shell takes. */
function commandsOf(page: string, program: string): string[] {
  const start = new RegExp(`${PROMPT}${program} (.+)$`);
  return codeLines(read(page).replaceAll(/ \\\n\s*/g, ' ')).flatMap((line) => {
    const words = start.exec(line)?.[1];
    if (words === undefined || /[|[─…]|\.\.\./.test(words)) return [];
    return [words.replace(/(?:^|\s+)(?:#|>|\d>|&|;).*$/, '').trim()];
  });
}

const words = (command: string): string[] =>
  [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

test('every page with commands says which tests run them, or why no test does', () => {
  const exempt = new Set(['CHANGELOG.md', 'packages/core/README.md']);
  const withCommands = pages.filter(
    (page) => !exempt.has(page) && codeLines(read(page)).some((line) => COMMAND.test(line)),
  );
  expect(withCommands.filter((page) => entries[page] === undefined)).toEqual([]);
});

test('every named test exists, and a page without one has a reason', () => {
  const faults = Object.entries(entries).flatMap(([page, { run, reason }]) => [
    ...(pages.includes(page) ? [] : [`${page} does not exist`]),
    ...run.filter((path) => !existsSync(join(root, path))).map((path) => `${path} is missing`),
    ...(run.length === 0 && reason === undefined ? [`${page} has no reason`] : []),
  ]);
  expect(faults).toEqual([]);
});

test('the site shows both below the page', () => {
  expect(
    commandNote({ run: ['tests/a.test.ts'], reason: 'Other names.' }, 'https://c.example'),
  ).toBe(
    '\n---\n\n_Commands on this page:_ tested by [tests/a.test.ts](https://c.example/blob/main/tests/a.test.ts). Other names.\n',
  );
  expect(commandNote({ run: [], reason: 'A pool.' }, '')).toContain('not run by a test. A pool.');
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
