// The matcher: tries a program at one position of a subject, with its own stack of
// alternatives, and counts every step.
import { limitError, type Limits, type Assertion } from './node.ts';
import type { Instruction, Program } from './compile.ts';
import { WORD } from './classes-and-escapes.ts';

/** The number of remaining steps, shared by all matches of one evaluation. */
export interface Budget {
  left: number;
  readonly limits: Limits;
}

/** Matches that count as none: empty ones, or an empty one where the search began. */
export type Refused = 'none' | 'empty' | 'emptyAtStart';

const UNSET = -1;
const FAILED = -1;

/** Tries `program` on `subject`; one instance for each search. */
export class Matcher {
  readonly #code: readonly Instruction[];
  readonly #subject: string;
  readonly #budget: Budget;
  readonly #from: number;
  /** Start and end of each group, then the positions saved by loops. */
  readonly slots: Int32Array;
  /**
   * Triples: an alternative (address, position, minimum position), or a slot to restore
   * (~slot, old value, 0).
   */
  readonly #stack: number[] = [];

  constructor(program: Program, subject: string, from: number, budget: Budget) {
    this.#code = program.code;
    this.#subject = subject;
    this.#budget = budget;
    this.#from = from;
    this.slots = new Int32Array(program.slots);
  }

  /**
   * True if the program matches at `start`; the slots then have the positions.
   * @param refused which matches count as none: none, empty ones, or an empty one where
   * the search began
   */
  matchAt(start: number, refused: Refused = 'none'): boolean {
    this.slots.fill(UNSET);
    this.#stack.length = 0;
    this.slots[0] = start;
    const end = this.#run(0, start, refused);
    if (end === FAILED) return false;
    this.slots[1] = end;
    return true;
  }

  /**
   * Runs from `address` to `accept`.
   * @returns the position there, or FAILED with all slots unchanged
   */
  #run(address: number, position: number, refused: Refused = 'none'): number {
    const floor = this.#stack.length;
    let pc = address;
    let at = position;
    for (;;) {
      this.#spend(1);
      const instruction = this.#code[pc];
      if (instruction === undefined) return at;
      if (instruction.op === 'accept' && !this.#refuses(refused, at)) return at;
      pc += 1;
      switch (instruction.op) {
        case 'accept':
          at = FAILED;
          break;
        case 'set':
          at =
            at < this.#subject.length && instruction.set[this.#subject.charCodeAt(at)] === 1
              ? at + 1
              : FAILED;
          break;
        case 'split':
          this.#stack.push(instruction.second, at, at);
          pc = instruction.first;
          break;
        case 'jump':
          pc = instruction.to;
          break;
        case 'ifStill':
          if (this.slots[instruction.slot] === at) pc = instruction.to;
          break;
        case 'ifUnset':
          if (this.slots[instruction.slot] === UNSET) pc = instruction.to;
          break;
        case 'run':
          at = this.#repeat(instruction, at, pc);
          break;
        case 'inner':
          at = this.#inner(instruction.mode, pc, at);
          pc = instruction.to;
          break;
        default:
          at = this.#step(instruction, at);
      }
      if (at !== FAILED) continue;
      if (!this.#backtrack(floor)) return FAILED;
      pc = this.#resumed;
      at = this.#resumedAt;
    }
  }

  #refuses(refused: Refused, at: number): boolean {
    if (refused === 'none' || this.slots[0] !== at) return false;
    return refused === 'empty' || at === this.#from;
  }

  #spend(steps: number): void {
    this.#budget.left -= steps;
    if (this.#budget.left < 0) throw limitError('matchSteps', this.#budget.limits);
  }

  #resumed = 0;
  #resumedAt = 0;

  /**
   * Undoes the changes since the last alternative above `floor`.
   * @returns false if there is none
   */
  #backtrack(floor: number): boolean {
    const stack = this.#stack;
    while (stack.length > floor) {
      const top = stack.length - 3;
      const target = stack[top] ?? 0;
      const value = stack[top + 1] ?? 0;
      if (target < 0) {
        this.slots[~target] = value;
        stack.length = top;
        continue;
      }
      if (value > (stack[top + 2] ?? 0)) stack[top + 1] = value - 1;
      else stack.length = top;
      this.#resumed = target;
      this.#resumedAt = value;
      return true;
    }
    return false;
  }

  #save(slot: number, at: number): void {
    this.#stack.push(~slot, this.slots[slot] ?? UNSET, 0);
    this.slots[slot] = at;
  }

  /** Matches as many bytes of a set as possible, and saves the alternative of fewer. */
  #repeat(
    { set, least, most }: Extract<Instruction, { op: 'run' }>,
    at: number,
    next: number,
  ): number {
    const subject = this.#subject;
    const last = Math.min(subject.length, at + most);
    let end = at;
    while (end < last && set[subject.charCodeAt(end)] === 1) end += 1;
    this.#spend((end - at) >> 4);
    if (end < at + least) return FAILED;
    if (end > at + least) this.#stack.push(next, end - 1, at + least);
    return end;
  }

  /**
   * Runs the instructions without jumps.
   * @returns the position after them, or FAILED
   */
  #step(instruction: Instruction, at: number): number {
    switch (instruction.op) {
      case 'save':
        this.#save(instruction.slot, at);
        return at;
      case 'close':
        this.#save(2 * instruction.group, this.slots[instruction.opened] ?? UNSET);
        this.#save(2 * instruction.group + 1, at);
        return at;
      case 'assert':
        return this.#holds(instruction.assertion, at) ? at : FAILED;
      case 'back':
        return at >= instruction.length ? at - instruction.length : FAILED;
      case 'reference':
        return this.#reference(instruction.group, instruction.caseless, at);
      default:
        return at;
    }
  }

  #inner(mode: 'atomic' | 'ahead' | 'notAhead', address: number, at: number): number {
    const floor = this.#stack.length;
    const end = this.#run(address, at);
    if (mode === 'notAhead' && end === FAILED) return at;
    if (end === FAILED) return FAILED;
    this.#forgetChoices(floor);
    if (mode === 'notAhead') this.#backtrack(floor);
    return mode === 'atomic' ? end : mode === 'ahead' ? at : FAILED;
  }

  /** Drops the alternatives above `floor`, but keeps the slots to restore. */
  #forgetChoices(floor: number): void {
    const stack = this.#stack;
    let kept = floor;
    for (let from = floor; from < stack.length; from += 3) {
      if ((stack[from] ?? 0) >= 0) continue;
      stack.copyWithin(kept, from, from + 3);
      kept += 3;
    }
    stack.length = kept;
  }

  #reference(group: number, caseless: boolean, at: number): number {
    const start = this.slots[2 * group] ?? UNSET;
    const end = this.slots[2 * group + 1] ?? UNSET;
    if (start === UNSET || end === UNSET) return FAILED;
    const length = end - start;
    this.#spend(length >> 4);
    const wanted = this.#subject.slice(start, end);
    const found = this.#subject.slice(at, at + length);
    const equal = caseless ? fold(wanted) === fold(found) : wanted === found;
    return equal ? at + length : FAILED;
  }

  #holds(assertion: Assertion, at: number): boolean {
    const subject = this.#subject;
    const { length } = subject;
    switch (assertion) {
      case 'start':
        return at === 0;
      case 'from':
        return at === this.#from;
      case 'lineStart':
        return at === 0 || (at < length && subject[at - 1] === '\n');
      case 'end':
        return at === length;
      case 'lineEnd':
        return at === length || subject[at] === '\n';
      case 'finalEnd':
        return at === length || (at === length - 1 && subject[at] === '\n');
      case 'word':
        return this.#isWord(at - 1) !== this.#isWord(at);
      case 'notWord':
        return this.#isWord(at - 1) === this.#isWord(at);
    }
  }

  #isWord(at: number): boolean {
    return at >= 0 && at < this.#subject.length && WORD[this.#subject.charCodeAt(at)] === 1;
  }
}

const fold = (text: string): string => text.replace(/[A-Z]/g, (char) => char.toLowerCase());
