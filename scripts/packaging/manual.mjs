// Manual pages, from the declarations of the programs.

/** Where a page sends its reader. */
const SEE_ALSO = ['condor_credmon', 'condor_credmon_webserver', 'condor_credential_storer'];

/** Columns of a terminal, and how many of them a manual page leaves free at the left. */
const [TERMINAL, INDENT] = [80, 7];

/**
 * Returns the page of a program as roff. `docs` is the folder of the documentation, `date`
 * a day as YYYY-MM-DD.
 */
export function manualPage(program, { version, date, docs }) {
  const { name, summary, commands } = program;
  const parts = [
    `.TH ${quoted(name.toUpperCase())} 1 "${date}" ${quoted(`credmon ${version}`)} "User Commands"`,
    '.SH NAME',
    `${escaped(name)} \\- ${escaped(summary)}`,
    '.SH SYNOPSIS',
    ...synopsis(program),
    ...description(program),
    ...(program.text === undefined ? optionsSection(program, '.SH OPTIONS') : []),
    ...(commands.length > 0 ? ['.SH COMMANDS', ...commands.flatMap(commandSection)] : []),
    ...listing(program.exits, '.SH EXIT STATUS'),
    ...listing(program.examples, '.SH EXAMPLES'),
    '.SH FILES',
    '.TP',
    `.I ${escaped(docs)}`,
    'The documentation: setup, every knob, every error code.',
    '.SH SEE ALSO',
    SEE_ALSO.filter((one) => one !== name)
      .map((one) => `.BR ${one} (1)`)
      .join(' ,\n'),
  ];
  return `${parts.join('\n')}\n`;
}

function synopsis({ name, commands, usage }) {
  const lines = [usage.split(':')[0], ...leaves(commands).map((one) => one.usage)];
  return lines.flatMap((line, index) => {
    const rest = line.startsWith(name) ? line.slice(name.length).trim() : line;
    return [...(index > 0 ? ['.br'] : []), `.B ${escaped(name)}`, ...(rest ? [escaped(rest)] : [])];
  });
}

function leaves(commands) {
  return commands.flatMap((one) => (one.commands.length > 0 ? leaves(one.commands) : [one]));
}

function description({ about, summary, text }) {
  if (text === undefined) return ['.SH DESCRIPTION', ...paragraphs(about || `${summary}.`)];
  const rest = text.trim().split('\n').slice(1).join('\n').trim();
  const parts = rest.split(/\n\n+/).map((part) => {
    return /^ |\S {2}/m.test(part) ? asItIs(part) : paragraphs(part);
  });
  return ['.SH DESCRIPTION', ...parts.flatMap((part, at) => (at > 0 ? ['.PP', ...part] : part))];
}

/** Lines that stay as they are, such as those of a table; further left if they are long. */
function asItIs(text) {
  const lines = text.split('\n');
  const indent = TERMINAL - Math.max(...lines.map(({ length }) => length));
  const [left, back] = indent < INDENT ? [[`.in ${indent}n`], ['.in']] : [[], []];
  return [...left, '.nf', ...lines.map(escaped), '.fi', ...back];
}

function paragraphs(text) {
  return text
    .split(/\n\n+/)
    .flatMap((part, index) => [
      ...(index > 0 ? ['.PP'] : []),
      escaped(part.replaceAll(/\s*\n\s*/g, ' ')),
    ]);
}

function commandSection(command) {
  if (command.commands.length > 0) return command.commands.flatMap(commandSection);
  return [
    `.SS ${quoted(command.usage)}`,
    ...paragraphs(command.about || sentence(command.summary)),
    ...command.positionals
      .filter(({ describe }) => describe)
      .flatMap((one) => entry(`.I ${escaped(one.name)}`, one)),
    ...command.options.flatMap(optionEntry),
    ...listing(command.exits, '.PP\nExit codes:'),
    ...listing(command.examples, '.PP\nExamples:'),
  ];
}

function optionsSection({ options }, title) {
  return options.length > 0 ? [title, ...options.flatMap(optionEntry)] : [];
}

function optionEntry(option) {
  const names = option.names.toReversed().map((name) => `\\fB${escaped(name)}\\fR`);
  const value = option.takesValue
    ? ` \\fI${option.choices.length > 0 ? 'CHOICE' : 'VALUE'}\\fR`
    : '';
  return entry(`${names.join(', ')}${value}`, option);
}

function entry(term, { describe, choices, initial, required }) {
  const facts = [
    ...(choices.length > 0 ? [`one of ${choices.join(', ')}`] : []),
    ...(initial ? [`default: ${initial}`] : []),
    ...(required ? ['required'] : []),
  ];
  const text = `${sentence(describe)}${facts.length > 0 ? ` (${facts.join('; ')})` : ''}`.trim();
  return ['.TP', term, text === '' ? '\\&' : escaped(text)];
}

function listing(text, title) {
  if (!text) return [];
  return [title, ...asItIs(text.replaceAll(/^ +| +$/gm, ''))];
}

function sentence(text) {
  return text === '' ? '' : `${text[0].toUpperCase()}${text.slice(1)}`;
}

/** A line of text: no character of it is a request or an escape of roff. */
function escaped(text) {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/^[.']/, '\\&$&');
}

function quoted(text) {
  return `"${escaped(text).replaceAll('"', '\\(dq')}"`;
}
