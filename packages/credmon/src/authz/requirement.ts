// Decides who may have a token: by the name of a group, or a ClassAd expression over user
// name and groups, with the configured maps of userMap().
import {
  type AdExpr,
  type Expr,
  type UserMap,
  type Value,
  evaluate,
  parseAd,
  parseExpression,
  textOf,
  truthOf,
} from '@credmon/core/classad';
import { type KnobReader, knob, ownKnob } from '@credmon/core/config';

/** A parsed requirement. */
export type Requirement =
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'expression'; readonly expression: Expr };

/** The subject of an expression, and the time (epoch seconds). */
export interface Person {
  readonly username: string;
  readonly groups: readonly string[];
  readonly now: number;
  readonly userMap?: UserMap;
}

/**
 * Parses a requirement: letters, digits and `_.:/@-` are the name of a group, as in the
 * Python credmon; everything else, and `true` and `false`, is an expression.
 * @throws CodedError `CLASSAD_SYNTAX`, `CLASSAD_LIMIT`
 */
export function parseRequirement(text: string): Requirement {
  if (/^[\w.:/@-]+$/.test(text) && !/^(?:true|false)$/i.test(text))
    return { kind: 'group', group: text };
  return { kind: 'expression', expression: parseExpression(text) };
}

/**
 * Returns whether this person may have a token: an expression must evaluate to TRUE (or a
 * number other than 0).
 */
export function meetsRequirement(requirement: Requirement, person: Person): boolean {
  if (requirement.kind === 'group') return person.groups.includes(requirement.group);
  return truthOf(evaluateFor(requirement.expression, person)) === true;
}

/**
 * Evaluates `expression` in an ad with `Username` and `Groups` (a list).
 * @throws CodedError `CLASSAD_LIMIT`
 */
export function evaluateFor(expression: Expr, person: Person): Value {
  return evaluate(expression, {
    my: adOf(person),
    now: person.now,
    ...(person.userMap === undefined ? {} : { userMap: person.userMap }),
  });
}

function adOf({ username, groups }: Person): AdExpr {
  return parseAd(`[Username = ${quoted(username)}; Groups = {${groups.map(quoted).join(', ')}}]`);
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** Returns the text of a string value, otherwise `undefined`. */
export function stringOf(value: Value): string | undefined {
  return value.type === 'string' ? textOf(value.value) : undefined;
}

/** A configured map: a file, or its text in the configuration. */
export interface UserMapSettings {
  readonly name: string;
  readonly file: string | undefined;
  readonly data: string | undefined;
  readonly prefix: boolean;
}

/**
 * Reads CLASSAD_USER_MAP_NAMES, or the knob of the program's subsystem, which the
 * configuration prefers.
 * @see https://htcondor.readthedocs.io/en/latest/admin-manual/configuration-macros.html
 */
export function readUserMaps(read: KnobReader, subsystem: string): readonly UserMapSettings[] {
  const names =
    read.list(ownKnob('CLASSAD_USER_MAP_NAMES', subsystem)) ??
    read.list('CLASSAD_USER_MAP_NAMES') ??
    [];
  return names.map((name) => ({
    name,
    file: read.path(knob('CLASSAD_USER_MAPFILE_<MAP>', name)),
    data: read.string(knob('CLASSAD_USER_MAPDATA_<MAP>', name)),
    prefix: read.boolean(knob('CLASSAD_USER_MAP_PREFIX_<MAP>', name)),
  }));
}
