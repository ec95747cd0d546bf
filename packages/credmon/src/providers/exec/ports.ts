// How a token program is run: the port that the host implements.
import type { CodedError } from '@credmon/core/base';

/** A program with its arguments; `seconds` is how long it may run. */
export interface ProgramCall {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly seconds: number;
  readonly input: string;
}

/**
 * What a program said. `complaint` is its last line on standard error, as the program
 * wrote it. `failure` is the error of a program that was ended: the caller must throw it
 * after taking what must not be lost from `output`.
 */
export interface ProgramAnswer {
  readonly failure?: CodedError;
  readonly exit: number | null;
  readonly output: string;
  readonly complaint: string;
}

/** Runs a program to its end. */
export type RunProgram = (call: ProgramCall) => Promise<ProgramAnswer>;
