// All functions by name: those of the ClassAd library, and those that HTCondor adds.
import type { ClassAdFunction, FunctionTable } from '../operate/context.ts';
import { CONVERT_FUNCTIONS, MATH_FUNCTIONS, VERSION_FUNCTIONS } from './numbers-and-versions.ts';
import {
  LIST_FUNCTIONS,
  SPLIT_FUNCTIONS,
  STRING_LISTS_INTERSECT,
  STRING_LIST_FUNCTIONS,
} from './lists.ts';
import { CONTEXT_FUNCTIONS, META_FUNCTIONS, TYPE_FUNCTIONS, userHome, userMap } from './meta.ts';
import {
  ENVIRONMENT_FUNCTIONS,
  REGEXP_FUNCTIONS,
  STRING_LIST_REGEXP_MEMBER,
  STRING_FUNCTIONS,
} from './strings-and-environment.ts';
import { TIME_FUNCTIONS } from './times.ts';

/** The functions of the bare ClassAd library. */
export const LIBRARY_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ...TYPE_FUNCTIONS,
  ...CONVERT_FUNCTIONS,
  ...STRING_FUNCTIONS,
  ...LIST_FUNCTIONS,
  ...MATH_FUNCTIONS,
  ...TIME_FUNCTIONS,
  ...VERSION_FUNCTIONS,
  ...REGEXP_FUNCTIONS,
  ...META_FUNCTIONS,
  ['stringlistsintersect', STRING_LISTS_INTERSECT],
]);

/** The functions of every HTCondor daemon. */
export const ALL_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ...LIBRARY_FUNCTIONS,
  ...STRING_LIST_FUNCTIONS,
  ...SPLIT_FUNCTIONS,
  ...ENVIRONMENT_FUNCTIONS,
  ...CONTEXT_FUNCTIONS,
  ['stringlist_regexpmember', STRING_LIST_REGEXP_MEMBER],
  ['usermap', userMap],
  ['userhome', userHome],
]);

/** The names, in lower case, of all functions that an expression may call. */
export const FUNCTION_NAMES: ReadonlySet<string> = new Set(ALL_FUNCTIONS.keys());
