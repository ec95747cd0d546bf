// The ports of the local signer.
import type { Parsed } from '@credmon/core/credential';
import type { Random } from '@credmon/core/base';
import type { SigningKey } from '@credmon/scitokens';

/** All paths are configured by the administrator. */
export interface LocalPorts {
  readonly random: Random;
  /** Changes when a file or directory changes; empty when it is missing. */
  readonly version: (path: string) => string;
  /** Returns the text of a file, or why it cannot be read. */
  readonly readText: (path: string) => Parsed<string>;
  /** The same for a private key, which others must not be able to read. */
  readonly readKey: (path: string) => Parsed<string>;
  /**
   * Returns the text of a file, or of all files of a directory in order; empty when
   * missing.
   */
  readonly readAll: (path: string) => readonly string[];
  /**
   * Returns the key of a key directory that signs tokens of `lifetime` seconds.
   * @throws CodedError
   */
  readonly activeKey: (directory: string, lifetime: number) => SigningKey;
  /**
   * Completes a key pair that a killed process left, and returns the halves that were
   * restored.
   * @throws the system's error
   */
  readonly recoverKeyPair: (
    privateKey: string,
    publicKey: string,
  ) => readonly ('private' | 'public')[];
  /**
   * Creates an EC P-256 key pair in two files.
   * @throws CodedError, or the system's error
   */
  readonly createKeyPair: (privateKey: string, publicKey: string) => void;
  /**
   * Logs a warning `about` a subject (default: the text itself), once until the text
   * changes or the subject has recovered.
   */
  readonly warn: (text: string, about?: string) => void;
  /** Ends a warning: it is logged again when the problem recurs. */
  readonly recovered?: (about: string) => void;
}
