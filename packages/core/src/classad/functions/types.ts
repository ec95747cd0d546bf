// isUndefined, isError, isString ... : what type a value has.
import type { FunctionTable } from '../operate/context.ts';
import { booleanValue } from '../language/value.ts';
import type { Value } from '../language/value.ts';
import { taking } from './args.ts';

const TYPES: Readonly<Record<string, Value['type']>> = {
  isundefined: 'undefined',
  iserror: 'error',
  isstring: 'string',
  isinteger: 'integer',
  isreal: 'real',
  islist: 'list',
  isclassad: 'classad',
  isboolean: 'boolean',
  isabstime: 'abstime',
  isreltime: 'reltime',
};

export const TYPE_FUNCTIONS: FunctionTable = new Map(
  Object.entries(TYPES).map(([name, type]) => [
    name,
    taking(1, 1, ([value]) => booleanValue(value?.type === type)),
  ]),
);
