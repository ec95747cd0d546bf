// The printing edge of the commands: what users and issuers wrote may stand in a text,
// and must not steer a terminal.

/**
 * Control characters (line feeds and tabs are kept), and what turns the direction of
 * writing or breaks lines unseen.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * The text with `\uXXXX` for everything that no terminal prints; JSON means the same
 * after it as before.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) =>
    character === '\n' || character === '\t'
      ? character
      : [...Array(character.length).keys()]
          .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
          .join(''),
  );
}
