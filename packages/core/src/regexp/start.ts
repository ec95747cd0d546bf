// Where a match can begin at all: what lets a search pass over most places without
// trying.
import type { Program } from './compile.ts';
import type { ByteSet } from './node.ts';
import { ANY_BYTE, NOT_NEWLINE, include } from './set.ts';

/**
 * `set`: the bytes a match can begin with, undefined when it can be empty or we cannot
 * tell. `lines`: only at the start of a line.
 */
export interface StartSet {
  readonly set: ByteSet | undefined;
  readonly lines: boolean;
}

/** Looks at the instructions that can come first. */
export function startSet(program: Program): StartSet {
  return { set: firstBytes(program), lines: opensWithDots(program) };
}

/**
 * A pattern that begins with `.*` and fails at one place fails at the later ones of that
 * line too.
 */
function opensWithDots({ code }: Program): boolean {
  if (code.some(({ op }) => op === 'reference' || op === 'inner' || op === 'ifUnset')) return false;
  const first = code.find(({ op }) => op !== 'save');
  if (first?.op !== 'run' || first.least > 0 || first.most !== Infinity) return false;
  return first.set === NOT_NEWLINE || first.set === ANY_BYTE;
}

function firstBytes({ code }: Program): ByteSet | undefined {
  const found: ByteSet = new Uint8Array(256);
  const seen = new Set<number>();
  const open = [0];
  for (let pc = open.pop(); pc !== undefined; pc = open.pop()) {
    if (seen.has(pc)) continue;
    seen.add(pc);
    const instruction = code[pc];
    switch (instruction?.op) {
      case 'set':
        include(found, instruction.set);
        break;
      case 'run':
        include(found, instruction.set);
        if (instruction.least === 0) open.push(pc + 1);
        break;
      case 'split':
        open.push(instruction.first, instruction.second);
        break;
      case 'jump':
        open.push(instruction.to);
        break;
      case 'save':
      case 'close':
        open.push(pc + 1);
        break;
      default:
        return undefined;
    }
  }
  return found;
}
