// Randomness as a parameter: the type that other code takes, and the real implementation.
import { randomBytes } from 'node:crypto';

/** Returns `bytes` unpredictable bytes. */
export type Random = (bytes: number) => Uint8Array;

/** The machine's cryptographic random numbers. */
export const systemRandom: Random = (bytes) => randomBytes(bytes);
