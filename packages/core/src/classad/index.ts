// The public API of the ClassAd language.
export { textOf } from './language/value.ts';
export { evaluate } from './evaluate/evaluate.ts';
export type { EvaluateOptions } from './evaluate/evaluate.ts';
export type { AdExpr, Entry, Expr } from './language/ast.ts';
export { makeAd } from './language/ast.ts';
export type { UserMap } from './operate/context.ts';
export { FUNCTION_NAMES } from './functions/table.ts';
export { partsOf, unresolvedNames } from './language/ast.ts';
export { findMapping, parseMapFile, userMapOf } from './map-file/map-file.ts';
export type {
  IncludedMap,
  MapEntry,
  MapFile,
  MapFileOptions,
  Mapping,
  MapProblem,
} from './map-file/map-file.ts';
export { DEFAULT_LIMITS } from '../regexp/node.ts';
export type { Limits } from '../regexp/node.ts';
export { parseAd, parseAdPrefix, parseExpression } from './language/parse.ts';
export type { ParseOptions, Semantics } from './language/parse.ts';
export { readAds, readFirstAd, readMergedAd } from './language/parse.ts';
export type { ReadAdsOptions } from './language/parse.ts';
export { parseLongLine } from './language/parse.ts';
export type { LongParseOptions } from './language/parse.ts';
export { printExpression, printValue } from './print/print.ts';
export type { PrintOptions, PrintStyle } from './print/print.ts';
export { printLong } from './print/print.ts';
export type { LongOptions } from './print/print.ts';
export type { LexerSyntax } from './language/lexer.ts';
export { truthOf } from './language/value.ts';
export type {
  AbsTimeValue,
  ListValue,
  RelTimeValue,
  Scope,
  StringValue,
  Value,
} from './language/value.ts';
