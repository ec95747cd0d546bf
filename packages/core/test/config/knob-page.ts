// Renders docs/knobs.md from the table of knobs, and finds the knobs that the sources
// read.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import knobs from '../../src/config/typed/knobs.json' with { type: 'json' };

const HEAD = `# Knobs

Every knob that credmon reads. Names compare without case. A name may be prefixed with the program's local name or subsystem and a
dot: \`CREDMON_OAUTH.LOG\` is read by \`condor_credmon\` alone, \`CREDMON_WEB.LOG\` by the web server alone. \`<PROVIDER>\` stands for the name of a
token provider, \`<SUBSYS>\` for the program's subsystem.

Integers and durations may be expressions, such as \`60 * 20\`. A duration is a number of seconds. A size is a number of bytes, or has a unit:
\`10 Mb\`, \`512 Kb\`; a time has one of \`s\`, \`min\`, \`h\`, \`day\`, \`week\`. A boolean is \`true\`, \`false\`, \`1\`, \`0\` or an expression; \`yes\` and \`on\` are mistakes,
as they are for HTCondor. All mistakes are told together, each with the place where the value was set.

\`condor_credmon config get KNOB -v\` shows a value and where it comes from.

| Knob | Type | Default | Read by | Who else reads it | Meaning |
| --- | --- | --- | --- | --- | --- |
`;

/** The page, as it must stand in docs/knobs.md. */
export function knobPage(): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const rows = knobs.map((knob) => {
    const cells = [
      knob.type,
      knob.default,
      knob.readBy.join(', '),
      knob.alsoReadBy.join(', ') || 'nobody',
      knob.meaning,
    ];
    return `| \`${knob.name}\` | ${cells.map(cell).join(' | ')} |\n`;
  });
  return HEAD + rows.join('');
}

/** A place in the sources that reads a knob; the name with `<>` for what is filled in. */
export interface KnobUse {
  readonly name: string;
  readonly method: string | undefined;
  readonly fallback: string | undefined;
}

const USES = [
  /\bread\.(string|path|list|boolean|integer|real|logLimit|bytes|seconds)\(\s*(['`])([^'`]+)\2(?:,\s*(true|false|\d[\d_]*)\b(?! *[*/]))?/g,
  /\bknob = (['`])([A-Z][^'`]+)\1/g,
  /\b(?:names|wildcard|config\.get|own)\((['`])([A-Z][^'`]+)\1/g,
  /\bknob\(reading, (['`])([^'`]+)\1/g,
];

/**
 * Every place in these packages' sources that reads a knob by a name that can be seen.
 */
export function knobUses(root: string, packages: readonly string[]): KnobUse[] {
  const files = packages.flatMap((name) => sources(join(root, 'packages', name, 'src')));
  return files.flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    return USES.flatMap((pattern, index) =>
      [...text.matchAll(pattern)].map((match) => ({
        name: plainName((index === 0 ? match[3] : match[2]) ?? ''),
        method: index === 0 ? match[1] : undefined,
        fallback: index === 0 ? match[4]?.replaceAll('_', '') : undefined,
      })),
    );
  });
}

/** The name with `<>` for a part that the code or the reader fills in. */
export function plainName(name: string): string {
  return name.replaceAll(/\$\{[^}]*\}|<[A-Z]+>/g, '<>');
}

function sources(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(directory, name));
}
