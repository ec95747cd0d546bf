// Validates JSON with the part of JSON Schema that docs/schemas uses; a keyword that is not
// known here is an error, so that no schema means more than what is checked.
import { readFileSync } from 'node:fs';

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly items?: Schema;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

const KEYWORDS = new Set(
  (
    '$schema $id $defs $ref title description type enum const anyOf properties required ' +
    'additionalProperties items'
  ).split(' '),
);

/** Returns what is wrong with `value`, each with its path; empty if it is valid. */
export function schemaProblems(path: string | URL, value: unknown): string[] {
  const root = JSON.parse(readFileSync(path, 'utf8')) as Schema;
  return problemsOf(root, value, '$', root);
}

function problemsOf(schema: Schema, value: unknown, at: string, root: Schema): string[] {
  for (const keyword of Object.keys(schema))
    if (!KEYWORDS.has(keyword)) throw new Error(`${at}: the keyword ${keyword} is not known`);
  if (schema.$ref !== undefined) {
    const target = root.$defs?.[schema.$ref.replace('#/$defs/', '')];
    if (!target) throw new Error(`${at}: ${schema.$ref} is missing`);
    return problemsOf(target, value, at, root);
  }
  if (schema.anyOf) {
    const results = schema.anyOf.map((one) => problemsOf(one, value, at, root));
    return results.some((one) => one.length === 0) ? [] : results.flat();
  }
  if ('const' in schema && value !== schema.const) return [`${at}: not ${String(schema.const)}`];
  if (schema.enum && !schema.enum.includes(value)) return [`${at}: not one of the values`];
  const types = schema.type === undefined ? [] : [schema.type].flat();
  if (types.length > 0 && !types.some((type) => isOfType(type, value)))
    return [`${at}: not ${types.join(' or ')}`];
  if (Array.isArray(value) && schema.items) {
    const { items } = schema;
    return value.flatMap((one, index) => problemsOf(items, one, `${at}[${index}]`, root));
  }
  if (typeof value !== 'object' || value === null || !schema.properties) return [];
  const { properties, required = [], additionalProperties } = schema;
  return [
    ...required
      .filter((name) => !Object.hasOwn(value, name))
      .map((name) => `${at}.${name}: missing`),
    ...Object.entries(value).flatMap(([name, member]) => {
      const own = properties[name];
      if (own) return problemsOf(own, member, `${at}.${name}`, root);
      return additionalProperties === false ? [`${at}.${name}: not in the schema`] : [];
    }),
  ];
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object')
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}
