// Manual pages and completions of an installation, read by the programs that users have.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isMissing } from '../support/needs.ts';
import { run } from './commands.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const prefix = mkdtempSync(join(tmpdir(), 'credmon-prefix-'));
const share = join(prefix, 'share');
const filesIn = (folder: string): string[] =>
  readdirSync(join(share, folder)).map((name) => join(share, folder, name));

beforeAll(async () => {
  await run(root, [process.execPath, 'scripts/install.mjs', prefix]);
});
afterAll(() => rmSync(prefix, { recursive: true }));

describe.skipIf(isMissing('mandoc'))('the manual pages', () => {
  it('have no fault', async () => {
    const pages = filesIn('man/man1');
    expect(pages).toHaveLength(10);
    expect(await run(share, ['mandoc', '-T', 'lint', '-W', 'warning', ...pages])).toBe('');
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

  it.skipIf(isMissing('zsh'))('of zsh are valid', async () => {
    const files = filesIn('zsh/site-functions');
    expect(files).toHaveLength(10);
    for (const file of files) expect(await run(share, ['zsh', '-n', file])).toBe('');
  });

  it.skipIf(isMissing('fish'))('of fish offer commands, their commands and choices', async () => {
    const file = join(share, 'fish/vendor_completions.d/condor_credmon.fish');
    const offers = async (line: string): Promise<string[]> => {
      const output = await run(share, ['fish', '-c', `source ${file}; complete -C '${line}'`], {
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
