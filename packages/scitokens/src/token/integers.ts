// Finds times that are written with a fraction or an exponent: JSON.parse turns `4.1e9`
// into an integer, verifiers in other languages do not.

const SUSPECT = /\d(?:\.\d|[eE])/;

/**
 * True when the member `name` of the outermost object in `json` (valid JSON) is written
 * as a plain integer. Of several members with that name the last counts, as in
 * JSON.parse.
 */
export function isPlainInteger(json: string, name: string): boolean {
  if (!SUSPECT.test(json)) return true;
  let plain = true;
  let depth = 0;
  let member: string | undefined;
  // A string, a bracket, or a run of anything else that matters; white space, colons and
  // commas fall between.
  for (const [text] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}]|[^\s"[\]{},:]+/g)) {
    if (text === '{' || text === '[') depth += 1;
    else if (text === '}' || text === ']') depth -= 1;
    if (depth !== 1) continue;
    if (member === undefined) {
      member = text.startsWith('"') ? (JSON.parse(text) as string) : undefined;
    } else {
      if (member === name) plain = /^-?\d+$/.test(text);
      member = undefined;
    }
  }
  return plain;
}
