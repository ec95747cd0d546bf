// The public API of the ClassAd language: names only.
export { textOf } from './bytes.ts';
export { evaluate } from './evaluate.ts';
export type { EvaluateOptions } from './evaluate.ts';
export type { AdExpr, Entry, Expr } from './ast.ts';
export { makeAd } from './ast.ts';
export type { UserMap } from './context.ts';
export { DEFAULT_LIMITS } from './limits.ts';
export type { Limits } from './limits.ts';
export { parseAd, parseAdPrefix, parseExpression } from './parse.ts';
export type { ParseOptions, Semantics } from './parse.ts';
export { printExpression, printValue } from './print.ts';
export type { PrintOptions, PrintStyle } from './print.ts';
export { printLong } from './print-long.ts';
export type { LongOptions } from './print-long.ts';
export type { LexerSyntax } from './token.ts';
export { truthOf } from './value.ts';
export type { AbsTimeValue, ListValue, RelTimeValue, Scope, StringValue, Value } from './value.ts';
