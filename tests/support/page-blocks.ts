// The code blocks of the pages that people read, each with the reason beside it if no
// test runs its commands.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** One block of code, fenced or indented. */
export interface Block {
  readonly page: string;
  /** The number of its first line in the page, from 1. */
  readonly line: number;
  /** What is behind the fence, such as `sh run`; `undefined` for an indented block. */
  readonly info: string | undefined;
  readonly text: string;
  /** The reason on the page, beside the block or for its section, why no test runs it. */
  readonly reason: string | undefined;
}

const FENCE = /^(\s*)(`{3,}|~{3,})(.*)$/;
/** Beside one block. */
const BESIDE = /^\s*_Not run by a test: (.+)\._$/;
/** Directly below a heading: for all blocks up to the next heading of its level. */
const SECTION = /^_The commands (?:in this section|on this page) are not run by a test: (.+)\._$/;

/** Returns the blocks of a page in their order. */
export function blocksOf(page: string, text = readFileSync(join(ROOT, page), 'utf8')): Block[] {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  /** The reasons of the open sections, by their level. */
  let sections: readonly { readonly level: number; readonly reason: string | undefined }[] = [];
  const paragraph = (from: number, step: 1 | -1): string => {
    let at = from;
    while (lines[at]?.trim() === '') at += step;
    return lines[at] ?? '';
  };
  const add = (from: number, to: number, info: string | undefined, body: string[]): void => {
    const [, beside] = BESIDE.exec(paragraph(from - 1, -1)) ?? [];
    const [, below] = BESIDE.exec(paragraph(to, 1)) ?? [];
    const section = sections.findLast(({ reason }) => reason !== undefined)?.reason;
    const reason = beside ?? below ?? section;
    blocks.push({ page, line: from + 1, info, text: `${body.join('\n')}\n`, reason });
  };
  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? '';
    const fence = FENCE.exec(line);
    const heading = /^(#+) /.exec(line)?.[1];
    if (fence !== null) {
      const [, indent = '', mark = '', info = ''] = fence;
      const end = lines.findIndex((one, index) => index > at && one.trim() === mark);
      const body = lines.slice(at + 1, end).map((one) => one.replace(indent, ''));
      add(at, end + 1, info.trim(), body);
      at = end + 1;
    } else if (/^ {4}/.test(line) && (lines[at - 1] ?? '').trim() === '') {
      let end = at + 1;
      while (/^ {4}/.test(lines[end] ?? '') || isBlankInside(lines, end)) end += 1;
      add(
        at,
        end,
        undefined,
        lines.slice(at, end).map((one) => one.replace(/^ {4,7}/, '')),
      );
      at = end;
    } else {
      if (heading !== undefined) {
        const [, reason] = SECTION.exec(paragraph(at + 1, 1)) ?? [];
        const level = heading.length;
        sections = [...sections.filter((one) => one.level < level), { level, reason }];
      }
      at += 1;
    }
  }
  return blocks;
}

const isBlankInside = (lines: readonly string[], at: number): boolean =>
  lines[at]?.trim() === '' && /^ {4}/.test(lines[at + 1] ?? '');

/** What stands before a command: nothing, or a prompt; and sudo. */
export const PROMPT = /^(?:\s*|\s*[$#] )(?:sudo (?:-u \w+ )?)?/.source;
const PROGRAMS =
  /(?:npm (?:run|test|install)|condor_\w+ (?:-|[a-z$])|condor_(?:restart|reconfig|master)$|scitokens[a-z-]* [a-z-]|systemctl |apt-get |dnf |curl -?|podman|openssl |nginx -|runuser |cp \/|setsebool |kill |chown |chmod |install -|export \w+=|a2en|htgettoken |useradd |usermod |journalctl )/
    .source;
const COMMAND = new RegExp(`${PROMPT}${PROGRAMS}`, 'm');

/** True if the block has a command for a shell; a synopsis (`[--option]`) is none. */
export function hasCommands({ info, text }: Block): boolean {
  const lines = text.split('\n').filter((line) => !/ \[-|\[options\]/.test(line));
  const shown = lines.join('\n');
  return (
    /^(?:sh|bash|shell|console)\b/.test(info ?? '') || /^\$ /m.test(shown) || COMMAND.test(shown)
  );
}

/** The commands of a block: without prompts, comments and the output below a prompt. */
export function commandsIn({ text }: Block): string[] {
  const lines = text.replaceAll(/ *\\\n\s*/g, ' ').split('\n');
  const prompted = lines.filter((line) => /^[$#] /.test(line));
  return (text.startsWith('$ ') ? prompted : lines)
    .map((line) => line.replace(/^[$] /, '').replace(/(?:^|\s+)# .*$/, ''))
    .map((line) => line.replaceAll(/\s+/g, ' ').trim())
    .filter((line) => line !== '');
}

/** A command at a prompt, and the lines that the page shows below it. */
export interface Dialogue {
  readonly command: string;
  readonly shown: readonly string[];
}

/**
 * Returns the dialogue of a block `$ command` (`# command` for root) with its output, without
 * empty lines, and without `...` and `(a picture)` in place of lines.
 */
export function dialogueOf(text: string): Dialogue {
  const [first = '', ...lines] = text.split('\n').map((line) => line.trim());
  const shown = lines.filter((line) => !/^(?:|\.\.\.|\(.*\))$/.test(line));
  return { command: first.replace(/^[$#] /, ''), shown };
}

/** Returns the expected lines that the output lacks, or has in another order. */
export function missingLines(expected: readonly string[], output: string): string[] {
  const lines = output.split('\n').map((line) => line.trim());
  let from = 0;
  return expected.filter((line) => {
    const at = lines.indexOf(line.trim(), from);
    if (at >= 0) from = at + 1;
    return at < 0;
  });
}

/**
 * Returns the commands of the blocks with this mark, such as `sh run`, for the test that
 * runs them.
 * @throws Error if the page has no such block
 */
export function blocksToRun(page: string, info: string): string[] {
  const found = blocksOf(page).filter((block) => block.info === info);
  if (found.length === 0) throw new Error(`${page} has no block "${info}"`);
  return found.map(({ text }) => text);
}
