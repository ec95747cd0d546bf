// How a token program is run: the port that the host implements.

/** A program with its arguments; `seconds` is how long it may run. */
export interface ProgramCall {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly seconds: number;
  readonly input: string;
}

/** What a program said. `complaint` is its last line on standard error, made harmless. */
export interface ProgramAnswer {
  readonly exit: number | null;
  readonly output: string;
  readonly complaint: string;
}

/** Runs a program to its end. */
export type RunProgram = (call: ProgramCall) => Promise<ProgramAnswer>;
