// Escapes outside of brackets: sets, assertions, references to groups, single bytes.
import { readByteEscape, ANY_BYTE, NOT_NEWLINE, byteSet, rangesSet, typeSet } from './class.ts';
import { refuse, type Assertion, type RegexpNode } from './node.ts';

/** An escape: its node, whether it may be repeated, and the offset after it. */
export interface EscapeRead {
  readonly node: RegexpNode;
  readonly repeatable: boolean;
  readonly end: number;
}

const ASSERTIONS: Readonly<Record<string, Assertion>> = {
  A: 'start',
  G: 'from',
  z: 'end',
  Z: 'finalEnd',
  b: 'word',
  B: 'notWord',
};
const REFERENCE = new RegExp(
  [
    /([1-9]\d*)/,
    /g(?:(\d+)|\{(\d+)\}|([-+]\d+)|\{([-+]\d+)\}|\{([A-Za-z_]\w*)\})/,
    /k(?:<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)'|\{([A-Za-z_]\w*)\})/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'y',
);

const lineBreak: RegexpNode = {
  kind: 'atomic',
  inner: {
    kind: 'choice',
    branches: [
      {
        kind: 'sequence',
        items: [
          { kind: 'set', set: byteSet(13, false) },
          { kind: 'set', set: byteSet(10, false) },
        ],
      },
      { kind: 'set', set: rangesSet([10, 13], [0x85, 0x85]) },
    ],
  },
};

/**
 * Reads the escape after a backslash at `at`.
 * @param groups the number of groups opened before
 * @throws RefusedPattern
 */
export function readEscape(
  pattern: string,
  at: number,
  caseless: boolean,
  groups: number,
): EscapeRead {
  const letter = pattern[at] ?? refuse('a backslash at the end');
  if (/^N\{(?!\d+(?:,\d*)?\})/.test(pattern.slice(at, at + 24)))
    return refuse('a character by name');
  const set =
    typeSet(letter) ?? (letter === 'N' ? NOT_NEWLINE : letter === 'C' ? ANY_BYTE : undefined);
  if (set !== undefined) return { node: { kind: 'set', set }, repeatable: true, end: at + 1 };
  const assertion = Object.hasOwn(ASSERTIONS, letter) ? ASSERTIONS[letter] : undefined;
  if (assertion !== undefined)
    return { node: { kind: 'assert', assertion }, repeatable: false, end: at + 1 };
  if (letter === 'K') return { node: { kind: 'keep' }, repeatable: false, end: at + 1 };
  if (letter === 'R') return { node: lineBreak, repeatable: true, end: at + 1 };
  const reference = readReference(pattern, at, groups);
  if (reference !== undefined) {
    const node: RegexpNode = { kind: 'reference', group: reference.group, caseless };
    return { node, repeatable: true, end: reference.end };
  }
  return readLiteral(pattern, at, letter, caseless);
}

function readReference(
  pattern: string,
  at: number,
  groups: number,
): { group: number | string; end: number } | undefined {
  REFERENCE.lastIndex = at;
  const found = REFERENCE.exec(pattern);
  if (found === null) return undefined;
  const end = at + found[0].length;
  const [, plain, bare, braced, bareStep, bracedStep] = found;
  const step = bareStep ?? bracedStep;
  if (plain !== undefined) {
    // From 10 on, digits without a group of that number are an octal code.
    const number = Number(plain);
    const octal = number > 9 && number > groups && /^[0-7]/.test(plain);
    return octal ? undefined : { group: number, end };
  }
  if (step !== undefined) {
    const group = Number(step) < 0 ? groups + 1 + Number(step) : groups + Number(step);
    return group < 1 ? refuse('a reference to no group') : { group, end };
  }
  const number = bare ?? braced;
  if (number !== undefined) return { group: Number(number), end };
  return { group: found[6] ?? found[7] ?? found[8] ?? found[9] ?? '', end };
}

function readLiteral(pattern: string, at: number, letter: string, caseless: boolean): EscapeRead {
  const octal = /^[1-7][0-7]{0,2}/.exec(pattern.slice(at, at + 3))?.[0];
  const read =
    octal === undefined
      ? readByteEscape(pattern, at)
      : { code: Number.parseInt(octal, 8), end: at + octal.length };
  if (read === undefined && /[A-Za-z0-9]/.test(letter)) return refuse('an unknown escape');
  const { code, end } = read ?? { code: letter.charCodeAt(0), end: at + 1 };
  if (code > 255) return refuse('a character beyond one byte');
  return { node: { kind: 'set', set: byteSet(code, caseless) }, repeatable: true, end };
}
