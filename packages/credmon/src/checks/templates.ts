// Checks the knobs that say which scopes a token has: commas between scopes, and macros
// that are expanded before there is a user.
import { originText, setKnobs, type Config } from '@credmon/core/config';
import { warning, type Finding } from '@credmon/core/base';

const WHAT = 'configuration';

/**
 * Returns warnings about the scope templates and expressions of all kinds of providers.
 * @see RFC 6749, section 3.3: blanks separate scopes, and a comma is part of one
 * @throws CodedError `CONFIG_LIMIT` on endless expansion
 */
export function checkTemplates(config: Config): Finding[] {
  return setKnobs(config).flatMap(({ written, name, place }) => {
    const form = formOf(name);
    if (!form) return [];
    const value = config.get(written) ?? '';
    return [
      ...macroTexts(config, config.raw(written) ?? '', form),
      ...(form.isExpression ? [] : [...commaTexts(value), ...dollarTexts(value, form)]),
    ].map((text) => warning(WHAT, `${place}: ${name}: ${text}`));
  });
}

/** How a knob names the user or the group. */
interface Form {
  readonly isExpression: boolean;
  readonly field: string;
}

const TEMPLATE =
  /^(?:LOCAL|CLIENT|EXCHANGE|PELICAN)_CREDMON_(?:.+_)?AUTHZ_(?:(GROUP_)?TEMPLATE(_EXPR)?|GROUP_(REQUIREMENT))$/i;

function formOf(name: string): Form | undefined {
  const [found, ofGroup, expression, requirement] = TEMPLATE.exec(name) ?? [];
  if (found === undefined) return undefined;
  if (expression !== undefined || requirement !== undefined)
    return { isExpression: true, field: 'Username or Groups' };
  return { isExpression: false, field: ofGroup === undefined ? '{username}' : '{groupname}' };
}

/** Names of macros that people write for the user of a job. */
const FOR_USER = /^(?:REAL_?)?(?:USER_?(?:NAME)?|OWNER|LOGNAME|GROUP_?(?:NAME)?S?)$/i;
const MACRO = /\$(\w*)\(\s*([\w.]+)[^()]*\)/g;

/** Finds macros for the user, also inside the macros that the value uses. */
function macroTexts(config: Config, raw: string, { field }: Form, seen: string[] = []): string[] {
  return [...raw.matchAll(MACRO)].flatMap(([, func = '', macro = '']) => {
    const ofEnvironment = /^ENV$/i.test(func);
    if (FOR_USER.test(macro)) return [macroText(config, macro, ofEnvironment, field)];
    const key = macro.toLowerCase();
    const inner = ofEnvironment || seen.includes(key) ? undefined : config.raw(macro);
    return inner === undefined
      ? []
      : macroTexts(config, inner, { field, isExpression: false }, [...seen, key]);
  });
}

function macroText(config: Config, macro: string, ofEnvironment: boolean, field: string): string {
  const shown = ofEnvironment ? `$ENV(${macro})` : `$(${macro})`;
  const origin = config.origin(macro);
  const value = config.expand(shown);
  const what =
    ofEnvironment || origin?.kind === 'detected'
      ? `is the user of the daemon (${value})`
      : origin === undefined
        ? 'is not set and expands to nothing'
        : `is set in ${originText(origin)}`;
  return `${shown} ${what}, the same for all users; fix: write ${field}`;
}

/** Finds commas that were meant to separate scopes; inside a path they may be meant. */
function commaTexts(value: string): string[] {
  return value
    .split(/\s+/)
    .filter((scope) => /,$|,[a-z][\w.]*:|^[\w.-]+(?:,[\w.-]+)+$/i.test(scope))
    .map(
      (scope) =>
        `the comma in "${scope}" is part of the scope and its path; fix: separate scopes by blanks`,
    );
}

/** Finds fields in the syntax of shells: `$username` is text, and `${username}` keeps its $. */
function dollarTexts(value: string, { field }: Form): string[] {
  return [...value.matchAll(/\$+(?:\{+\w*\}*|\(\w*\)?|\w+)/g)].map(
    ([found]) => `the $ of "${found}" is part of the scope; fix: write ${field}`,
  );
}
