// Manual pages and completions of an installation, read by the programs that users have.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isMissing } from '../support/needs.ts';
import { blocksToRun } from '../support/page-blocks.ts';
import { run } from './commands.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'credmon-prefix-'));
const prefix = join(folder, 'usr/local');
const share = join(prefix, 'share');
const filesIn = (folder: string): string[] =>
  readdirSync(join(share, folder)).map((name) => join(share, folder, name));

/** The commands of docs/install.md. "Set DESTDIR to write below another directory." */
const [install = '', uninstall = ''] = blocksToRun('docs/install.md', 'sh run install');
const inFolder = (command: string): Promise<string> =>
  run(root, ['sh', '-ec', command], { DESTDIR: folder });

beforeAll(() => inFolder(install));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(isMissing('mandoc'))('the manual pages', () => {
  it('have no fault', async () => {
    const pages = filesIn('man/man1');
    expect(pages).toHaveLength(10);
    expect(await run(share, ['mandoc', '-T', 'lint', '-W', 'warning', ...pages])).toBe('');
  });

  it('are at most 80 columns wide', async () => {
    for (const page of filesIn('man/man1')) {
      const text = await run(share, ['mandoc', '-T', 'ascii', '-O', 'width=80', page]);
      const lines = text.replaceAll(/.[\b]/g, '').split('\n');
      expect([page, lines.filter((line) => line.length > 80)]).toEqual([page, []]);
    }
  });

  it('name every command, every option and its choices', async () => {
    const page = join(share, 'man/man1/condor_credmon.1');
    const text = await run(join(share, 'man'), ['mandoc', '-T', 'ascii', page]);
    const plain = text.replaceAll(/.[\b]/g, '').replaceAll(/\s+/g, ' ');
    for (const words of [
      'condor_credmon config get <knob>',
      '-n, --name VALUE',
      '--algorithm CHOICE Algorithm of a new key (one of ES256, RS256; default: ES256)',
      '--once Make one pass and exit',
    ])
      expect(plain).toContain(words);
  });
});

describe('the completions', () => {
  /** What a shell offers after these words. */
  async function bashOffers(program: string, ...words: readonly string[]): Promise<string[]> {
    const script = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_${program}; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const file = join(share, 'bash-completion/completions', program);
    const output = await run(share, ['bash', '-c', script, file, program, ...words]);
    return output.trim().split('\n');
  }

  it('of bash offer commands, their commands, options and choices', async () => {
    expect(await bashOffers('condor_credmon', 'con')).toEqual(['config']);
    expect(await bashOffers('condor_credmon_oauth', 'config', 'd')).toEqual(['dump']);
    expect(await bashOffers('condor_credmon', 'status', '--u')).toEqual(['--user']);
    expect(await bashOffers('condor_credmon', 'keys', 'rotate', '--algorithm', '')).toEqual([
      'ES256',
      'RS256',
    ]);
    expect(await bashOffers('scitokens', 'token', 've')).toEqual(['verify']);
    expect(await bashOffers('condor_credential_storer', '--fo')).toEqual(['--force']);
    // A file, which bash itself completes.
    expect(await bashOffers('condor_credmon', '--config', '')).toEqual(['']);
  });

  /** The line of docs/install.md for a shell, with the prefix of this test. */
  const lineFor = (shell: string): string =>
    blocksToRun('docs/install.md', 'sh run completions')
      .join('')
      .split('\n')
      .filter((line) => line.endsWith(`# ${shell}`))
      .join('\n')
      .replaceAll('PREFIX', prefix);

  it('of bash are there after the line of docs/install.md', async () => {
    const output = await run(share, [
      'bash',
      '-c',
      `${lineFor('bash')}\ncomplete -p condor_credmon`,
    ]);
    expect(output).toContain(' -F _condor_credmon ');
  });

  it.skipIf(isMissing('zsh'))('of zsh are valid', async () => {
    const files = filesIn('zsh/site-functions');
    expect(files).toHaveLength(10);
    for (const file of files) expect(await run(share, ['zsh', '-n', file])).toBe('');
  });

  it.skipIf(isMissing('zsh'))('of zsh complete what a user types on a terminal', async () => {
    const home = mkdtempSync(join(tmpdir(), 'credmon-zsh-'));
    // The tab key, and what the program gets.
    const script = `zmodload zsh/zpty
zpty shell "TERM=dumb HOME=$1 zsh -f -i"
zpty -w shell "PS1=; $2; condor_credmon() { print got \\$* }; echo be''gin"
zpty -r shell before '*begin*'
zpty -n -w shell $'condor_credmon keys rot\t--algo\tRS\t\n'
zpty -w shell "echo e''nd"
zpty -r shell after '*end*'
print -r -- "$after"
`;
    const output = await run(share, ['zsh', '-fc', script, 'zsh', home, lineFor('zsh')]);
    rmSync(home, { recursive: true });
    expect(output).toContain('got keys rotate --algorithm RS256\r\n');
  });

  it.skipIf(isMissing('fish'))('of fish offer commands, their commands and choices', async () => {
    const file = join(share, 'fish/vendor_completions.d/condor_credmon.fish');
    const offers = async (line: string): Promise<string[]> => {
      const output = await run(share, ['fish', '-c', `${lineFor('fish')}\ncomplete -C '${line}'`], {
        HOME: prefix,
      });
      return output
        .trim()
        .split('\n')
        .map((text) => text.split('\t')[0] ?? '');
    };
    expect(await offers('condor_credmon keys ')).toEqual(['list', 'publish', 'rotate']);
    expect(await offers('condor_credmon keys rotate --algorithm ')).toEqual(['ES256', 'RS256']);
    expect(existsSync(file)).toBe(true);
  });
});

describe('install-to --uninstall', () => {
  it('removes every file', async () => {
    expect(await inFolder(uninstall)).toContain('/usr/local/bin/condor_credmon\n');
    const left = readdirSync(folder, { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => !entry.isDirectory())).toEqual([]);
  });
});
