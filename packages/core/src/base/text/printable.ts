// Text for people: without control characters, and quoted for a shell.

/**
 * Control characters (line feeds and tabs are kept), and characters that change the
 * direction of writing or break lines invisibly.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Returns the text with `\uXXXX` for every character that no terminal prints. JSON keeps
 * its meaning.
 */
export function printable(text: string): string {
  // UNPRINTABLE has properties of characters: its first use takes 0.3 ms.
  if (/^[\n\t -~]*$/.test(text)) return text;
  return text.replaceAll(UNPRINTABLE, (character) =>
    character === '\n' || character === '\t' ? character : escaped(character),
  );
}

/** Returns {@link printable} text on one line: line feeds and tabs are escaped as well. */
export function printableLine(text: string): string {
  return printable(text).replaceAll(/[\n\t]/g, escaped);
}

function escaped(character: string): string {
  return [...Array(character.length).keys()]
    .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('');
}

/** Breaks a text into lines; a word longer than `width`, such as a path, stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Returns `3 tokens`, `1 token`; an empty text for none. */
export function pluralise(count: number, noun: string): string {
  return count === 0 ? '' : `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Returns a number of seconds as `45s`, `12m05s`, `5h03m` or `2d04h`; `0s` for less. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${pad(whole % 60)}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h${pad(Math.floor((whole % 3600) / 60))}m`;
  return `${Math.floor(whole / 86_400)}d${pad(Math.floor((whole % 86_400) / 3600))}h`;
}

const pad = (value: number): string => String(value).padStart(2, '0');

/** Returns `text` as one word of a POSIX shell, in single quotes if it needs quoting. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
