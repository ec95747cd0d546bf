// The version of this package; a test compares it with package.json.

/** The version in `--version` and in the log. */
export const VERSION = '0.1.0';
