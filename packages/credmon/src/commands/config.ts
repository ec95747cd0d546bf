// `config dump` and `config get`: print the merged configuration as condor_config_val
// does.
import { CodedError } from '@credmon/core/base';
import {
  declarationOf,
  dumpText,
  originText,
  queryKnob,
  verboseText,
  withDeclaredDefaults,
  type Config,
} from '@credmon/core/config';
import type { Subcommand } from '../command-line/command.ts';
import { openConfig } from '../command-line/open-config.ts';

type DumpCommand = Subcommand & { kind: 'config-dump' };
type GetCommand = Subcommand & { kind: 'config-get' };

/**
 * Prints every knob that is set or has a default, or those with a matching name. Returns
 * the exit code.
 * @throws CodedError `USAGE` for a bad pattern
 */
export function runConfigDump(
  command: DumpCommand,
  env: NodeJS.ProcessEnv,
  print: (text: string) => void,
): number {
  const config = withDeclaredDefaults(openConfig(command, env));
  const pattern = patternOf(command.pattern);
  const { expanded } = command;
  if (!command.json) {
    print(dumpText(config, { expanded, ...(pattern ? { pattern } : {}) }));
    return 0;
  }
  const names = config.names().filter((name) => pattern?.test(name) ?? true);
  print(
    JSON.stringify(
      names.map((name) => knobJson(config, name)),
      null,
      2,
    ),
  );
  return 0;
}

/** Prints one knob, or its default. The exit code is 1 when it has no value. */
export function runConfigGet(
  command: GetCommand,
  env: NodeJS.ProcessEnv,
  print: (text: string) => void,
  stderr: (text: string) => void,
): number {
  const config = withDeclaredDefaults(openConfig(command, env));
  const { value } = queryKnob(config, command.knob);
  if (command.json) print(JSON.stringify(knobJson(config, command.knob), null, 2));
  else if (value === undefined) stderr(`Not defined: ${command.knob}${otherDefault(command.knob)}`);
  else print(command.verbose ? (verboseText(config, command.knob) ?? value) : value);
  return value === undefined ? 1 : 0;
}

/** Describes the default of one of our own knobs that is not a fixed value. */
function otherDefault(name: string): string {
  const { default: always, defaultNote } = declarationOf(name) ?? {};
  return always === undefined && defaultNote !== undefined ? ` (default: ${defaultNote})` : '';
}

function patternOf(text: string | undefined): RegExp | undefined {
  if (text === undefined) return undefined;
  try {
    return new RegExp(text, 'i');
  } catch (error) {
    throw new CodedError('USAGE', `${text} is not a regular expression`, {}, error);
  }
}

function knobJson(config: Config, name: string): Record<string, unknown> {
  const { value, raw } = queryKnob(config, name);
  return {
    name,
    value: value ?? null,
    raw: raw ?? null,
    origin: raw === undefined ? null : originText(config.origin(name)),
  };
}
