// The fixed lengths that lookbehinds need.
import { refuse } from './node.ts';
import type { RegexpNode } from './node.ts';

/**
 * `branch` with the step back in front of it.
 * @throws RefusedPattern when its length is not fixed
 */
export function stepBack(branch: RegexpNode): RegexpNode {
  const length = lengthOf(branch) ?? refuse('a lookbehind without fixed length');
  return { kind: 'sequence', items: [{ kind: 'back', length }, branch] };
}

/** How many bytes a node matches, when that is always the same. */
function lengthOf(node: RegexpNode): number | undefined {
  switch (node.kind) {
    case 'set':
      return 1;
    case 'sequence':
      return node.items.reduce<number | undefined>((sum, item) => plus(sum, lengthOf(item)), 0);
    case 'choice':
      return same(node.branches.map(lengthOf));
    case 'condition':
      return same([lengthOf(node.yes), lengthOf(node.no)]);
    case 'group':
    case 'atomic':
      return lengthOf(node.inner);
    case 'repeat': {
      const length = lengthOf(node.inner);
      if (length === 0 || length === undefined) return length;
      return node.least === node.most ? length * node.least : undefined;
    }
    case 'reference':
    case 'keep':
      return undefined;
    case 'assert':
    case 'look':
    case 'back':
      return 0;
  }
}

const plus = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a + b;

const same = ([first, ...others]: (number | undefined)[]): number | undefined =>
  others.every((other) => other === first) ? first : undefined;
