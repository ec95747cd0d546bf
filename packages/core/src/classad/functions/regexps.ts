// regexp, regexpMember, regexps, replace, replaceall, stringList_regexpMember.
import type { ClassAdFunction, FunctionTable } from '../operate/context.ts';
import { compile, matches, substitute } from '../../regexp/regexp.ts';
import { ERROR, TRUE, UNDEFINED, booleanValue, stringValue } from '../language/value.ts';
import type { Value } from '../language/value.ts';
import { elements, exceptional, optionalString, taking } from './args.ts';
import { itemsOf } from './split.ts';

const answer = (matched: boolean | undefined): Value =>
  matched === undefined ? ERROR : booleanValue(matched);

const regexp = taking(2, 3, (args, { matching }) => {
  const found = exceptional(args);
  if (found !== undefined) return found;
  const [pattern, target, options] = args;
  const flags = optionalString(options, '');
  if (pattern?.type !== 'string' || target?.type !== 'string' || flags === undefined) return ERROR;
  return answer(matches(pattern.value, target.value, flags, matching));
});

/** TRUE when an element matches; else UNDEFINED when an element was UNDEFINED. */
const regexpMember = taking(2, 3, (args, context, scope) => {
  const found = exceptional(args);
  if (found !== undefined) return found;
  const [pattern, list, options] = args;
  const flags = optionalString(options, '');
  if (pattern?.type !== 'string' || list?.type !== 'list' || flags === undefined) return ERROR;
  if (compile(pattern.value, flags, context.limits) === undefined) return ERROR;
  let result: Value = booleanValue(false);
  for (const element of elements(list, scope, context)) {
    if (element.type === 'undefined') result = UNDEFINED;
    else if (element.type !== 'string') return ERROR;
    else if (matches(pattern.value, element.value, flags, context.matching) === true) return TRUE;
  }
  return result;
});

const replacing = (always: string): ClassAdFunction =>
  taking(3, 4, (args, context) => {
    const found = exceptional(args);
    if (found !== undefined) return found;
    const [pattern, target, replacement, options] = args;
    const flags = optionalString(options, '');
    if (pattern?.type !== 'string' || target?.type !== 'string') return ERROR;
    if (replacement?.type !== 'string' || flags === undefined) return ERROR;
    const text = substitute(
      pattern.value,
      target.value,
      replacement.value,
      always + flags,
      context.matching,
    );
    return text === undefined ? ERROR : stringValue(context.bounded(text));
  });

const stringListRegexpMember = taking(
  2,
  4,
  ([pattern, list, delimiters, options], { limits, matching }) => {
    const separators = optionalString(delimiters, ' ,');
    const flags = optionalString(options, '');
    if (pattern?.type !== 'string' || list?.type !== 'string') return ERROR;
    if (separators === undefined || flags === undefined) return ERROR;
    if (compile(pattern.value, flags, limits) === undefined) return ERROR;
    return booleanValue(
      itemsOf(list.value, separators).some(
        (item) => matches(pattern.value, item, flags, matching) === true,
      ),
    );
  },
);

export const REGEXP_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['regexp', regexp],
  ['regexpmember', regexpMember],
  ['regexps', replacing('')],
  ['replace', replacing('f')],
  ['replaceall', replacing('fg')],
]);

export const STRING_LIST_REGEXP_MEMBER: ClassAdFunction = stringListRegexpMember;
