// Compiles trees to programs for the matcher: linear instructions with jumps.
import {
  refuse,
  type Assertion,
  type ByteSet,
  type LookNode,
  type Pattern,
  type RegexpNode,
  type RepeatNode,
} from './node.ts';

/** One instruction; targets are indexes into the program. */
export type Instruction =
  | { readonly op: 'set'; readonly set: ByteSet }
  | { readonly op: 'run'; readonly set: ByteSet; readonly least: number; readonly most: number }
  /** Continues at `first`, and at `second` if that fails. */
  | { readonly op: 'split'; first: number; second: number }
  | { readonly op: 'jump'; to: number }
  | { readonly op: 'save'; readonly slot: number }
  /**
   * Group `group` extends from the position in slot `opened` to here; until then it keeps
   * its earlier match.
   */
  | { readonly op: 'close'; readonly group: number; readonly opened: number }
  /** Ends a loop if its body has matched nothing since `slot` was saved. */
  | { readonly op: 'ifStill'; readonly slot: number; to: number }
  | { readonly op: 'ifUnset'; readonly slot: number; to: number }
  | { readonly op: 'assert'; readonly assertion: Assertion }
  | { readonly op: 'back'; readonly length: number }
  | { readonly op: 'reference'; readonly group: number; readonly caseless: boolean }
  /** Runs the instructions up to `accept` separately, then continues at `to`. */
  | { readonly op: 'inner'; readonly mode: 'atomic' | 'ahead' | 'notAhead'; to: number }
  | { readonly op: 'accept' };

/**
 * A compiled pattern. Slots 2n and 2n+1 contain start and end of group n; the following
 * ones are marks of open groups and loops.
 */
export interface Program {
  readonly code: readonly Instruction[];
  readonly groups: number;
  readonly slots: number;
}

const LARGEST = 65_536;

/**
 * Compiles a pattern.
 * @throws RefusedPattern for a reference to a missing group, a lookbehind without fixed
 * length, or a program that is too large
 */
export function compilePattern(pattern: Pattern): Program {
  const compiler = new Compiler(pattern);
  compiler.node(pattern.root);
  compiler.add({ op: 'accept' });
  return { code: compiler.code, groups: pattern.groups, slots: compiler.slots };
}

class Compiler {
  readonly code: Instruction[] = [];
  readonly #pattern: Pattern;
  slots: number;
  #looking = 0;
  /** The lengths of groups in lookbehinds. */
  readonly #lengths = new Map<number, number | undefined>();
  /** The groups around what is compiled. */
  readonly #open = new Set<number>();

  constructor(pattern: Pattern) {
    this.#pattern = pattern;
    this.slots = 2 * (pattern.groups + 1);
  }

  add<I extends Instruction>(instruction: I): I {
    if (this.code.length >= LARGEST) refuse('a pattern that is too large');
    this.code.push(instruction);
    return instruction;
  }

  node(node: RegexpNode): void {
    switch (node.kind) {
      case 'set':
        this.add({ op: 'set', set: node.set });
        return;
      case 'sequence':
        for (const item of node.items) this.node(item);
        return;
      case 'choice':
        this.#choice(node.branches);
        return;
      case 'group': {
        const opened = this.#slot();
        this.add({ op: 'save', slot: opened });
        this.#open.add(node.number);
        this.node(node.inner);
        this.#open.delete(node.number);
        this.add({ op: 'close', group: node.number, opened });
        return;
      }
      case 'atomic':
        this.#inner('atomic', () => this.node(node.inner));
        return;
      case 'assert':
        this.add({ op: 'assert', assertion: node.assertion });
        return;
      case 'reference':
        this.add({ op: 'reference', group: this.#number(node.group), caseless: node.caseless });
        return;
      case 'keep':
        if (this.#looking > 0) refuse('\\K inside a lookaround');
        this.add({ op: 'save', slot: 0 });
        return;
      case 'back':
        this.add({ op: 'back', length: node.length });
        return;
      case 'look':
        this.#look(node);
        return;
      case 'repeat':
        this.#repeat(node);
        return;
      case 'condition': {
        const test = this.add({ op: 'ifUnset', slot: 2 * this.#number(node.group) + 1, to: 0 });
        this.node(node.yes);
        const jump = this.add({ op: 'jump', to: 0 });
        test.to = this.code.length;
        this.node(node.no);
        jump.to = this.code.length;
      }
    }
  }

  #slot(): number {
    this.slots += 1;
    return this.slots - 1;
  }

  #number(group: number | string): number {
    const number = typeof group === 'number' ? group : this.#pattern.names.get(group);
    if (number === undefined || number > this.#pattern.groups || number < 1)
      return refuse('a reference to no group');
    return number;
  }

  #choice(branches: readonly RegexpNode[]): void {
    const jumps = branches.slice(0, -1).map((branch) => {
      const split = this.add({ op: 'split', first: this.code.length + 1, second: 0 });
      this.node(branch);
      const jump = this.add({ op: 'jump', to: 0 });
      split.second = this.code.length;
      return jump;
    });
    this.node(branches.at(-1) ?? { kind: 'sequence', items: [] });
    for (const jump of jumps) jump.to = this.code.length;
  }

  #inner(mode: 'atomic' | 'ahead' | 'notAhead', body: () => void): void {
    const inner = this.add({ op: 'inner', mode, to: 0 });
    body();
    this.add({ op: 'accept' });
    inner.to = this.code.length;
  }

  /** Each branch of a lookbehind has its own length. */
  #look({ behind, negative, inner }: LookNode): void {
    this.#looking += 1;
    this.#inner(negative ? 'notAhead' : 'ahead', () => {
      if (!behind) this.node(inner);
      else if (inner.kind === 'choice')
        this.#choice(inner.branches.map((branch) => this.#stepBack(branch)));
      else this.node(this.#stepBack(inner));
    });
    this.#looking -= 1;
  }

  /**
   * Prepends the step back to a branch of a lookbehind.
   * @throws RefusedPattern when its length is not fixed
   */
  #stepBack(branch: RegexpNode): RegexpNode {
    const lengthOfGroup: GroupLength = (group) => {
      const number = this.#number(group);
      if (!this.#lengths.has(number)) {
        // Until it is known: a group that contains the reference has no fixed length.
        this.#lengths.set(number, undefined);
        const node = groupIn(this.#pattern.root, number);
        this.#lengths.set(number, node && lengthOf(node, lengthOfGroup));
      }
      return this.#lengths.get(number);
    };
    const isVariable = (group: number | string): boolean =>
      this.#pattern.isNumberedAgain || this.#open.has(this.#number(group));
    const length =
      lengthOf(branch, (group) => (isVariable(group) ? undefined : lengthOfGroup(group))) ??
      refuse('a lookbehind without fixed length');
    return { kind: 'sequence', items: [{ kind: 'back', length }, branch] };
  }

  #repeat(node: RepeatNode): void {
    if (node.mode === 'possessive') {
      this.#inner('atomic', () => this.#repeat({ ...node, mode: 'greedy' }));
      return;
    }
    const { inner, least, most, mode } = node;
    if (most === 0) {
      // What is repeated zero times must be allowed, too.
      const before = this.code.length;
      this.node(inner);
      this.code.length = before;
      return;
    }
    const only = alone(inner);
    if (only.kind === 'set' && mode === 'greedy') {
      this.add({ op: 'run', set: only.set, least, most });
      return;
    }
    const before = this.code.length;
    for (let i = 0; i < least && (i === 0 || this.code.length > before); i += 1) this.node(inner);
    if (most === Infinity) this.#loop(inner, mode === 'greedy');
    else this.#optional(inner, most - least, mode === 'greedy');
  }

  #loop(inner: RegexpNode, greedy: boolean): void {
    const start = this.code.length;
    const split = this.add({ op: 'split', first: 0, second: 0 });
    const body = this.code.length;
    const slot = this.#slot();
    this.add({ op: 'save', slot });
    this.node(inner);
    const check = this.add({ op: 'ifStill', slot, to: 0 });
    this.add({ op: 'jump', to: start });
    const exit = this.code.length;
    check.to = exit;
    split.first = greedy ? body : exit;
    split.second = greedy ? exit : body;
  }

  #optional(inner: RegexpNode, times: number, greedy: boolean): void {
    const splits = Array.from({ length: times }, () => {
      const split = this.add({ op: 'split', first: 0, second: 0 });
      const body = this.code.length;
      this.node(inner);
      return { split, body };
    });
    const exit = this.code.length;
    for (const { split, body } of splits) {
      split.first = greedy ? body : exit;
      split.second = greedy ? exit : body;
    }
  }
}

/** Returns the content of a group without a number if it is a single node. */
function alone(node: RegexpNode): RegexpNode {
  const [only, second] = node.kind === 'sequence' ? node.items : [];
  return only === undefined || second !== undefined ? node : alone(only);
}

// The fixed lengths that lookbehinds need.

/** Returns the length of the group that a reference means, if it is constant. */
type GroupLength = (group: number | string) => number | undefined;

/** Returns the number of bytes that a node matches, if it is constant. */
function lengthOf(node: RegexpNode, group: GroupLength): number | undefined {
  switch (node.kind) {
    case 'set':
      return 1;
    case 'sequence':
      return node.items.reduce<number | undefined>(
        (sum, item) => plus(sum, lengthOf(item, group)),
        0,
      );
    case 'choice':
      return same(node.branches.map((branch) => lengthOf(branch, group)));
    case 'condition':
      return same([lengthOf(node.yes, group), lengthOf(node.no, group)]);
    case 'group':
    case 'atomic':
      return lengthOf(node.inner, group);
    case 'repeat': {
      const length = lengthOf(node.inner, group);
      // PCRE2 ignores the quantifier of a lookahead, but not that of a lookbehind.
      if (length === undefined || (node.inner.kind === 'look' && !node.inner.behind)) return length;
      return node.least === node.most ? length * node.least : undefined;
    }
    case 'reference':
      return group(node.group);
    case 'keep':
      return undefined;
    case 'assert':
    case 'look':
    case 'back':
      return 0;
  }
}

/** Returns the first group of this number in a tree. */
function groupIn(node: RegexpNode, number: number): RegexpNode | undefined {
  if (node.kind === 'group' && node.number === number) return node;
  for (const child of childrenOf(node)) {
    const found = groupIn(child, number);
    if (found !== undefined) return found;
  }
  return undefined;
}

function childrenOf(node: RegexpNode): readonly RegexpNode[] {
  switch (node.kind) {
    case 'sequence':
      return node.items;
    case 'choice':
      return node.branches;
    case 'condition':
      return [node.yes, node.no];
    case 'group':
    case 'atomic':
    case 'look':
    case 'repeat':
      return [node.inner];
    default:
      return [];
  }
}

const plus = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a + b;

const same = ([first, ...others]: (number | undefined)[]): number | undefined =>
  others.every((other) => other === first) ? first : undefined;
