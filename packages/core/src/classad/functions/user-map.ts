// userMap and userHome: what the caller's maps and user database say about a name.
import { bytesOf, lowerAscii, textOf } from '../language/bytes.ts';
import type { ClassAdFunction } from '../operate/context.ts';
import { ERROR, UNDEFINED, stringValue } from '../language/value.ts';
import { taking } from './args.ts';
import { itemsOf } from './split.ts';

/**
 * `userMap(map, input)` is the mapped text; with a third argument, that item if the text
 * lists it, else the first item; the fourth argument is the answer when the map has none.
 */
export const userMap: ClassAdFunction = taking(2, 4, (args, context) => {
  const [map = ERROR, input = ERROR, preferred, fallback] = args;
  if (map.type !== 'string' || args.some(({ type }) => type === 'error')) return ERROR;
  if (input.type !== 'string' && input.type !== 'undefined') return ERROR;
  const mapped =
    input.type === 'string'
      ? context.world.userMap?.(map.value, input.value, context.matching)
      : undefined;
  if (mapped === undefined) return fallback ?? UNDEFINED;
  if (preferred === undefined) return stringValue(mapped);
  const items = itemsOf(mapped, ',');
  const wanted = preferred.type === 'string' ? lowerAscii(preferred.value) : undefined;
  const chosen = items.find((item) => lowerAscii(item) === wanted) ?? items[0];
  return chosen === undefined ? (fallback ?? UNDEFINED) : stringValue(chosen);
});

/**
 * `userHome(name)` is the user's home directory; the second argument is the answer when
 * there is none.
 */
export const userHome: ClassAdFunction = taking(1, 2, (args, context) => {
  const [name = ERROR, fallback = UNDEFINED] = args;
  if (name.type === 'undefined') return fallback;
  if (name.type !== 'string') return ERROR;
  const home = context.world.userHome?.(textOf(name.value));
  return home === undefined ? fallback : stringValue(bytesOf(home));
});
