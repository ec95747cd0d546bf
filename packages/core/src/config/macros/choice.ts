// `$CHOICE`, `$RANDOM_CHOICE` and `$RANDOM_INTEGER`: one out of several.
import { problem, splitFirst, valueOf } from './argument.ts';
import type { Expansion } from './expansion.ts';
import { trim } from './text.ts';
import { parseInteger } from './values.ts';

/**
 * `$CHOICE(index,item,...)` or `$CHOICE(index,KNOB)`: the item at `index`, counted from
 * 0.
 */
export function choose(body: string, expansion: Expansion): string {
  const [first, list] = splitFirst(body);
  const index = indexOf(trim(first), expansion);
  if (list === undefined) return problem(expansion, '$CHOICE() error: no list', '');
  const items = itemsOf(list, expansion);
  if (!items) return problem(expansion, `$CHOICE() macro: no list named "${trim(list)}"!`, '');
  const item = items[index];
  if (item === undefined)
    expansion.context.problem(`$CHOICE() config macro: index ${index} is out of range!`);
  return item ?? '';
}

function indexOf(text: string, expansion: Expansion): number {
  const value = parseInteger(valueOf(text, expansion), expansion.context.evaluate);
  if (value !== undefined && value >= 0n) return Number(value);
  expansion.context.problem(`$CHOICE() error: '${text}' is invalid index`);
  return 0;
}

/**
 * Several items as written, or the items of the one knob named; `undefined` when there is
 * no such knob.
 */
function itemsOf(list: string, expansion: Expansion): string[] | undefined {
  if (list.includes(',')) return list.split(',').map(trim);
  const raw = expansion.context.lookup(trim(list));
  return raw === undefined ? undefined : splitItems(expansion.nested(raw));
}

function splitItems(value: string): string[] {
  if (value.includes(',')) return value.split(',').map(trim);
  return trim(value).split(/[ \t\n]+/);
}

/**
 * `$RANDOM_CHOICE(item,...)` or `$RANDOM_CHOICE(KNOB)`: any of them, again at each
 * expansion.
 */
export function randomChoice(body: string, expansion: Expansion): string {
  expansion.chance = true;
  const items = itemsOf(body, expansion) ?? splitItems(body);
  if (trim(body) === '') expansion.context.problem('$RANDOM_CHOICE() macro is empty!');
  return items[expansion.context.random(items.length)] ?? '';
}

/** `$RANDOM_INTEGER(min,max[,step])`: min, min + step, ... up to max, any of them. */
export function randomInteger(body: string, expansion: Expansion): string {
  expansion.chance = true;
  const [min, max, step] = ['min', 'max', 'step'].map((what, position) =>
    bound(body, position, what, expansion),
  );
  const low = min ?? 0;
  const high = max ?? low;
  const width = Math.max(1, step ?? 1);
  if (low > high) {
    expansion.context.problem('$RANDOM_INTEGER() config macro: min > max!');
    return String(high);
  }
  return String(low + width * expansion.context.random(Math.floor((high - low) / width) + 1));
}

function bound(
  body: string,
  position: number,
  what: string,
  expansion: Expansion,
): number | undefined {
  const text = body.split(',')[position];
  if (text === undefined && what === 'step') return undefined;
  const value = parseInteger(valueOf(trim(text ?? ''), expansion), expansion.context.evaluate);
  if (value === undefined || (what === 'step' && value <= 0n)) {
    expansion.context.problem(`$RANDOM_INTEGER() config macro: invalid ${what}!`);
  }
  return value === undefined ? 0 : Number(BigInt.asIntN(53, value));
}
