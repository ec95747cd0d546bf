// Words for a shell: every message that tells an administrator what to run may hold any
// path or name.

/**
 * `text` as one word of a POSIX shell: as it is where that is safe, else in single
 * quotes.
 */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
