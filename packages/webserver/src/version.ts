// The version of this package; a test compares it with package.json.

/** The version that `--version` and the log show. */
export const VERSION = '0.1.0';
