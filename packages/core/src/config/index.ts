// The public API of the configuration.
export { originText, warningText } from './table/config.ts';
export type { Config, ConfigWarning, Origin } from './table/config.ts';
export { loadConfig } from './machine/load.ts';
export type { LoadOptions } from './machine/load.ts';
export { readConfiguration } from './syntax/read-sources.ts';
export type { CommandResult, HostFacts, ReadOptions, SourceHost } from './syntax/reader-state.ts';
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
} from './typed/typed.ts';
export type { Bounds, KnobProblem, NumberOptions, ReadResult } from './typed/typed.ts';
export type { EvaluateExpression, ExpressionValue } from './macros/conditions.ts';
export { dumpText, expandMacroText, queryKnob, verboseText } from './table/config.ts';
export type { DumpOptions } from './table/config.ts';
export { parameter } from './typed/typed.ts';
export type { Parameter } from './typed/typed.ts';
export type { Amount } from './macros/values.ts';
export { createKnobReader } from './typed/knob-reader.ts';
export { findUser, groupId, userName } from './machine/accounts.ts';
export type { Account } from './machine/accounts.ts';
export { declarationOf, withDeclaredDefaults } from './typed/declarations.ts';
export { readCondorIds } from './typed/typed.ts';
export type { AccountIds } from './typed/typed.ts';
export type { KnobReader, Unset } from './typed/knob-reader.ts';
export { AUTH_SSL_KNOBS, readCredentialDirectory, readNamedTrust } from './typed/typed.ts';
export { CLIENT_KINDS, KNOBS, knob, knobDefault, ownIfSet, ownKnob } from './typed/declarations.ts';
export type {
  KnobDeclaration,
  KnobName,
  NamedKnob,
  PlainKnobName,
  SharedKnobName,
} from './typed/declarations.ts';
export { unusedKnobs } from './mistakes/unknown-knobs.ts';
export type { ConfiguredNames } from './mistakes/similar-knobs.ts';
export type { UnjudgedKnob } from './mistakes/unknown-knobs.ts';
export { oldKnobs } from './mistakes/old-knobs.ts';
export type { OldKnob } from './mistakes/old-knobs.ts';
export { quotedKnobs, quoteWarnings, withoutQuoted } from './mistakes/quoted-values.ts';
export type { QuotedKnob } from './mistakes/quoted-values.ts';
export { secretMistake } from './mistakes/quoted-values.ts';
export type { SecretMistake } from './mistakes/quoted-values.ts';
export { doubleNames } from './mistakes/old-knobs.ts';
export type { OwnerLists } from './mistakes/old-knobs.ts';
export { declarationFor, setKnobs, setUnusedKnobs } from './mistakes/set-knobs.ts';
export type { SetKnob } from './mistakes/set-knobs.ts';
export { configuredProviders, loginNamesIn, loginProviderOf } from './typed/provider-names.ts';
export type { NamedProvider, ProviderNames } from './typed/provider-names.ts';
