// Shell quoting, for messages with commands that an administrator pastes.

/** Returns `text` as one word of a POSIX shell, in single quotes if it needs quoting. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
