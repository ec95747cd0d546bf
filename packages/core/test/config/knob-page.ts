// Renders docs/knobs.md from the declarations of knobs, and finds the knobs that the
// sources read.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { KNOBS, defaultText, type KnobDeclaration } from '../../src/config/typed/declarations.ts';
import { GROUP_ORDER, KNOB_GROUPS, type KnobGroup } from './knob-groups.ts';

const HEAD = `# Knobs

Every knob that credmon reads. Names compare without case. A name may be prefixed with the program's local name or subsystem and a
dot: \`CREDMON_OAUTH.LOG\` is read by \`condor_credmon\` alone, \`CREDMON_WEB.LOG\` by the web server alone. \`<PROVIDER>\` stands for the name of a
token provider, \`<TOKEN>\` for the name of a standing token, \`<SUBSYS>\` for the program's subsystem.

Some knobs have a second name, for one provider, token or program. The second name has priority.

Integers, numbers and durations may be expressions, such as \`60 * 20\`. A duration is a number of seconds, or has a unit: \`s\`, \`min\`, \`h\`, \`day\`, \`week\`.
A size is a number of bytes, or has a unit: \`10 Mb\`, \`512 Kb\`. The limits are included. A boolean is \`true\`, \`false\`, \`1\`, \`0\` or an expression;
\`yes\` and \`on\` are mistakes, as they are for HTCondor. All mistakes are told together, each with the place where the value was set.

\`condor_credmon config get KNOB -v\` shows a value and where it comes from. For a knob that is not set it shows the default, with \`# at: <Default>\`.
`;

/** The expected text of docs/knobs.md. */
export function knobPage(): string {
  const groups = GROUP_ORDER.map((title) => {
    const group = KNOB_GROUPS.find((one) => one.title === title);
    const members = rows.filter(([name]) => groupOf(name) === group);
    const entries = members.map(([name, knob]) => entry(name, knob));
    return `\n## ${title}\n\n${group?.about}\n\n${entries.join('\n')}`;
  });
  return HEAD + groups.join('');
}

/** Returns the group of a declared name; `undefined` if no pattern fits. */
export function groupOf(name: string): KnobGroup | undefined {
  return KNOB_GROUPS.find(({ names }) => names.test(name));
}

const rows: readonly (readonly [string, KnobDeclaration])[] = Object.entries(KNOBS);

function entry(name: string, knob: KnobDeclaration): string {
  const { own, type, unit, min, max, readers, otherReaders, help } = knob;
  const limits = min === undefined ? '' : `, ${min} to ${max}`;
  const kind = unit === undefined || type === 'size or time' ? type : `${type} (${unit})`;
  return [
    `### \`${name}\`\n`,
    `${help}\n`,
    ...(own === undefined ? [] : [`- For one: \`${own}\``]),
    `- Default: ${defaultCell(knob)}`,
    `- Type: ${kind}${limits}`,
    `- Read by: ${[...readers, ...otherReaders].join(', ')}`,
    '',
  ].join('\n');
}

/** The default and what completes it, as the page says it. */
export function defaultCell(knob: KnobDeclaration): string {
  const { defaultNote } = knob;
  const always = defaultText(knob);
  if (always === undefined) return defaultNote ?? 'none';
  return defaultNote === undefined ? always : `${always}; ${defaultNote}`;
}

const READS = [
  /\bread\s*\.(?<method>string|path|list|boolean|integer|number|duration|sizeOrTime)\(\s*(?:\w+\(|\{ declared: )?(['`])(?<name>[^'`]+)\2/g,
  /\b(?:knob|ownKnob|own|ownIfSet|isSet|names|config\.(?:get|raw|origin))\(\s*(?:\w+, )?(['`])(?<name>[A-Z$<][^'`]*)\1/g,
  /\bdeclared: (')(?<name>[^']+)\1/g,
  /\bknob = (')(?<name>[A-Z]+_[A-Z_]+)\1/g,
];

/** A place in the sources that reads a knob; the name with `<>` for what is filled in. */
export interface KnobUse {
  readonly name: string;
  readonly method: string | undefined;
}

/**
 * Every place in these packages' sources that reads a knob by a name that can be seen.
 */
export function knobUses(root: string, packages: readonly string[]): KnobUse[] {
  const files = packages.flatMap((name) => sources(join(root, 'packages', name, 'src')));
  return files.flatMap((file) => usesIn(readFileSync(file, 'utf8')));
}

/** The places in a text of TypeScript that read a knob. */
export function usesIn(text: string): KnobUse[] {
  return READS.flatMap((pattern) =>
    [...text.matchAll(pattern)].map(({ groups }) => ({
      name: plainName(groups?.['name'] ?? ''),
      method: groups?.['method'],
    })),
  );
}

/** Returns the name with `<>` for a part that the code or the reader fills in. */
export function plainName(name: string): string {
  return name.replaceAll(/\$\{[^}]*\}|<[A-Z]+>/g, '<>');
}

function sources(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(directory, name));
}
