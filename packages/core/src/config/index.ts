// The public API of the configuration: names only.
export { originText, warningText } from './config.ts';
export type { Config, ConfigWarning, Origin } from './config.ts';
export { loadConfig } from './load.ts';
export type { LoadOptions } from './load.ts';
export { readConfiguration } from './settings.ts';
export type { HostFacts, ReadOptions } from './settings.ts';
export type { SourceHost, CommandResult } from './reading.ts';
export {
  readBoolean,
  readDuration,
  readInteger,
  readList,
  readLogLimit,
  readPath,
  readReal,
  readSize,
  readString,
} from './typed.ts';
export type { Bounds, KnobProblem, NumberOptions, ReadResult } from './typed.ts';
export type { EvaluateExpression, ExpressionValue } from './evaluate.ts';
export { dumpText, expandMacroText, queryKnob, verboseText } from './print.ts';
export type { DumpOptions } from './print.ts';
export { parameter } from './parameter.ts';
export type { Parameter } from './parameter.ts';
export type { Amount } from './values.ts';
export { createKnobReader } from './knob-reader.ts';
export { findUser } from './accounts.ts';
export type { Account } from './accounts.ts';
export { readCondorIds } from './condor-ids.ts';
export type { AccountIds } from './condor-ids.ts';
export type { KnobReader } from './knob-reader.ts';
export { AUTH_SSL_KNOBS, readNamedTrust } from './named-trust.ts';
export { KNOBS } from './knob-table.ts';
export { configuredProviders, loginProviderOf } from './provider-names.ts';
export type { NamedProvider, ProviderNames } from './provider-names.ts';
export type { KnobFacts } from './knob-table.ts';
