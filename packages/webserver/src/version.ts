// The version of this package; a test holds it and package.json together.

/** The version that `--version` and the log show. */
export const VERSION = '0.1.0';
