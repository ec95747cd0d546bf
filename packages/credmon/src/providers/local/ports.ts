// What signing tokens here uses of the world.
import type { Parsed } from '@credmon/core/credential';
import type { Random } from '@credmon/core/base';
import type { SigningKey } from '@credmon/scitokens';

/** The ports of the local signer; all paths are the administrator's own. */
export interface LocalPorts {
  readonly random: Random;
  /** Changes when a file or directory changes; empty when there is none. */
  readonly version: (path: string) => string;
  /** The text of a file, or why it cannot be had. */
  readonly readText: (path: string) => Parsed<string>;
  /** The same for a private key, which must be closed to others. */
  readonly readKey: (path: string) => Parsed<string>;
  /**
   * The texts of a file, or of all files of a directory in order; none when there is
   * none.
   */
  readonly readAll: (path: string) => readonly string[];
  /**
   * The key of a key directory that signs tokens of `lifetime` seconds.
   * @throws CodedError
   */
  readonly activeKey: (directory: string, lifetime: number) => SigningKey;
  /**
   * Completes a key pair that a killed process left, and says which halves it put in
   * place.
   * @throws the system's error
   */
  readonly recoverKeyPair: (
    privateKey: string,
    publicKey: string,
  ) => readonly ('private' | 'public')[];
  /**
   * Makes an EC P-256 key pair in two files.
   * @throws CodedError, or the system's error
   */
  readonly createKeyPair: (privateKey: string, publicKey: string) => void;
  /**
   * Warns the administrator `about` a thing (else the text itself), once until the text
   * changes or the thing has recovered.
   */
  readonly warn: (text: string, about?: string) => void;
  /** Ends what was warned about a thing: the same is logged again when it recurs. */
  readonly recovered?: (about: string) => void;
}
