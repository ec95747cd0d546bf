// The output of condor_config_val, for the command line and for comparison with it.
import { originText, type Config } from './config.ts';
import { declarationOf } from '../typed/declared-defaults.ts';
import { defaultText } from '../typed/declarations.ts';
import defaults from './defaults.json' with { type: 'json' };

const standard = new Map(
  Object.entries(defaults).map(([name, value]) => [name.toLowerCase(), value]),
);

/**
 * Returns the value and raw text of a knob as condor_config_val does: the name under
 * which the knob is set is looked up once more, with prefixes, for the value only.
 * References inside values are looked up once.
 */
export function queryKnob(
  config: Config,
  name: string,
): { value: string | undefined; raw: string | undefined } {
  return { value: config.get(config.foundName(name) ?? name), raw: config.raw(name) };
}

/** Formats `NAME = raw`, or a block for a value of several lines. */
export function assignmentText(name: string, raw: string): string {
  if (!raw.includes('\n')) return `${name} = ${raw}`;
  return [`${name} @=end`, ...raw.split('\n').map((line) => `   ${line}`), '@end'].join('\n');
}

/**
 * What `condor_config_val -v NAME` prints, and the default of one of credmon's own knobs;
 * `undefined` for a knob that is not defined.
 */
export function verboseText(config: Config, name: string): string | undefined {
  const { value, raw } = queryKnob(config, name);
  if (value === undefined) return undefined;
  const found = config.foundName(name) ?? name;
  const declaration = declarationOf(name);
  const base = standard.get(name.toLowerCase()) ?? (declaration && defaultText(declaration));
  return [
    `${found} = ${value}`,
    ` # at: ${originText(config.origin(name))}`,
    ` # raw: ${found} = ${raw ?? ''}`,
    ...(base === undefined || base === raw ? [] : [` # default: ${base}`]),
  ].join('\n');
}

/**
 * Options of a dump: names by a pattern (anywhere in the name, case-insensitive), and
 * values instead of raw texts.
 */
export interface DumpOptions {
  readonly pattern?: RegExp;
  readonly expanded?: boolean;
}

/**
 * Returns the output of `condor_config_val -dump`: a heading, all knobs sorted by name,
 * and the files that were read. A raw text has the name under which the knob is set.
 */
export function dumpText(config: Config, options: DumpOptions = {}): string {
  const { pattern, expanded = false } = options;
  const lines = [`# Configuration from machine: ${config.get('FULL_HOSTNAME') ?? ''}`, ''];
  for (const name of config.names()) {
    if (pattern && !pattern.test(name)) continue;
    if (expanded) lines.push(assignmentText(name, config.get(name) ?? ''));
    else lines.push(assignmentText(config.foundName(name) ?? name, config.raw(name) ?? ''));
  }
  const files = config.sources.map((file) => `#\t${file}`);
  return [...lines, '# Contributing configuration file(s):', ...files, ''].join('\n');
}

/**
 * Returns the output of `condor_config_val -macro TEXT`: macros expanded, `$(DOLLAR)`
 * unchanged.
 */
export function expandMacroText(config: Config, text: string): string {
  return text
    .split(/(\$\(dollar\))/i)
    .map((part) => (/^\$\(dollar\)$/i.test(part) ? part : config.expand(part)))
    .join('');
}
