// The page of all commands and options, from the declarations of the programs.

const HEAD = `# Commands

Every program, command and option, as the programs declare them. \`--help\` of each prints the same, and so do the manual pages.
`;

/** Returns the page as Markdown. */
export function commandPage(programs) {
  return [HEAD, ...programs.map((program) => section(program, 2))].join('\n');
}

function section(command, level) {
  const { name, summary, about, usage, text, positionals, options, commands } = command;
  const { exits, examples } = command;
  const parts = [
    `${'#'.repeat(level)} ${level === 2 ? name : `\`${usage}\``}`,
    sentence(summary),
    level === 2 && text === undefined ? fenced(usage) : '',
    escaped(about),
    text === undefined ? entries(positionals, options) : fenced(text),
    exits ? `Exit codes:\n\n${fenced(unindented(exits))}` : '',
    examples ? `Examples:\n\n${fenced(unindented(examples))}` : '',
  ].filter((part) => part !== '');
  return [`${parts.join('\n\n')}\n`, ...commands.map((one) => section(one, level + 1))].join('\n');
}

function entries(positionals, options) {
  const rows = [
    ...positionals
      .filter(({ describe }) => describe)
      .map((one) => [`\`${one.name.toUpperCase()}\``, facts(one)]),
    ...options.map((one) => [
      one.names
        .toReversed()
        .map((name) => `\`${name}\``)
        .join(', '),
      facts(one),
    ]),
  ];
  if (rows.length === 0) return '';
  const lines = rows.map((cells) => `| ${cells.map(cell).join(' | ')} |`);
  return ['| argument | meaning |', '| --- | --- |', ...lines].join('\n');
}

function facts({ describe, choices, initial, required }) {
  const more = [
    ...(choices.length > 0 ? [`one of ${choices.join(', ')}`] : []),
    ...(initial ? [`default: ${initial}`] : []),
    ...(required ? ['required'] : []),
  ];
  return escaped(`${sentence(describe)}${more.length > 0 ? ` (${more.join('; ')})` : ''}`);
}

function fenced(text) {
  return `\`\`\`text\n${text.trim()}\n\`\`\``;
}

function unindented(text) {
  return text
    .split('\n')
    .map((line) => line.trim())
    .join('\n');
}

const sentence = (text) => (text === '' ? '' : `${text[0].toUpperCase()}${text.slice(1)}`);
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** Text that is neither HTML nor a template nor Markdown. */
function escaped(text) {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('{{', '{&#8203;{')
    .replaceAll('*', '\\*')
    .replaceAll('_', '\\_');
}
