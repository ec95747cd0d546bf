// Chance as a parameter: the port that everything else takes, and its one real
// implementation.
import { randomBytes } from 'node:crypto';

/** Returns `bytes` unpredictable bytes. */
export type Random = (bytes: number) => Uint8Array;

/** The machine's cryptographic random numbers. */
export const systemRandom: Random = (bytes) => randomBytes(bytes);
