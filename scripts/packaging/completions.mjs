// Completions of bash, zsh and fish, from the declarations of the programs.

/** Every command of a program that has its own words: the program itself, and all below. */
function places(program) {
  const key = (one) => one.name.split(' ').slice(1).join(' ');
  const below = (one) => [{ ...one, key: key(one) }, ...one.commands.flatMap(below)];
  return below(program);
}

const functionOf = (name) => `_${name.replaceAll('-', '_')}`;
/** The next word of a command that leads from one place to another. */
const lastWord = (command) => command.name.split(' ').at(-1);
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The shell code that follows the words before the cursor; bash and zsh both read it. */
function walk(program, words, first, current) {
  const steps = places(program).filter(({ key }) => key !== '');
  if (steps.length === 0) return [`  local key=''`];
  return [
    `  local key='' word`,
    `  local -i i`,
    `  for ((i = ${first}; i < ${current}; i++)); do`,
    `    word=\${${words}[i]}`,
    `    case "\${key:+$key }$word" in`,
    `      ${steps.map(({ key }) => quoted(key)).join('|')}) key="\${key:+$key }$word" ;;`,
    `    esac`,
    `  done`,
  ];
}

/** Returns a completion for bash. */
export function bashCompletion(program) {
  const name = functionOf(program.name);
  const own = program.options;
  const offer = (choices) => `COMPREPLY=($(compgen -W ${quoted(choices.join(' '))} -- "$cur"))`;
  return `# bash completion for ${program.name}
${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
${walk(program, 'COMP_WORDS', 1, 'COMP_CWORD').join('\n')}
${afterOption(program, '"$key:$prev"', offer, 'return')}
  case "$key" in
${places(program)
  .map(({ key, commands, options }) => {
    const words = [...commands.map(lastWord), ...namesOf(options), ...(key ? namesOf(own) : [])];
    return `    ${quoted(key)}) COMPREPLY=($(compgen -W ${quoted([...new Set(words)].join(' '))} -- "$cur")) ;;`;
  })
  .join('\n')}
  esac
}
complete -o default -F ${name} ${program.name}
`;
}

const namesOf = (options) => options.flatMap(({ names }) => names);
const valueNames = (options) => namesOf(options.filter(({ takesValue }) => takesValue));

/**
 * The shell code for the word after an option: `offer` gives the code that offers choices,
 * `others` is that for any other value.
 */
function afterOption(program, place, offer, others) {
  const values = places(program).flatMap(({ key, options }) =>
    options
      .filter(({ choices }) => choices.length > 0)
      .map(({ names, choices }) => {
        const cases = names.map((one) => quoted(`${key}:${one}`)).join('|');
        return `    ${cases}) ${offer(choices)}; return ;;`;
      }),
  );
  const withValue = [...new Set(places(program).flatMap(({ options }) => valueNames(options)))];
  const rest = withValue.map((one) => `*:${one}`).join('|') || '*:--';
  return [`  case ${place} in`, ...values, `    ${rest}) ${others} ;;`, '  esac'].join('\n');
}

/** Returns a completion for zsh. */
export function zshCompletion(program) {
  const name = functionOf(program.name);
  const described = (word, text) => quoted(`${word.replaceAll(':', '\\:')}:${text}`);
  return `#compdef ${program.name}
# zsh completion for ${program.name}
${name}() {
${walk(program, 'words', 2, 'CURRENT').join('\n')}
  local -a commands options
${afterOption(program, '"$key:${words[CURRENT-1]}"', (choices) => `compadd -- ${choices.join(' ')}`, '_files; return')}
  case "$key" in
${places(program)
  .map(({ key, commands, options }) => {
    const all = [...options, ...(key ? program.options : [])];
    return `    ${quoted(key)})
      commands=(${commands.map((one) => described(lastWord(one), one.summary)).join(' ')})
      options=(${all.flatMap((one) => one.names.map((word) => described(word, one.describe))).join(' ')})
      ;;`;
  })
  .join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o option options
  else
    (( $#commands )) && _describe command commands || _files
  fi
}
${name} "$@"
`;
}

/** Returns a completion for fish. */
export function fishCompletion(program) {
  const all = places(program);
  const lines = all.flatMap((place) => {
    const condition = fishCondition(place);
    const start = `complete -c ${program.name}${condition ? ` -n ${quoted(condition)}` : ''}`;
    return [
      ...place.commands.map(
        (one) => `${start} -f -a ${quoted(lastWord(one))} -d ${quoted(one.summary)}`,
      ),
      ...place.options.map((option) => {
        const always = place.key === '' ? `complete -c ${program.name}` : start;
        const names = option.names.map((one) =>
          one.startsWith('--') ? `-l ${one.slice(2)}` : `-s ${one.slice(1)}`,
        );
        const choices =
          option.choices.length > 0 ? ` -x -a ${quoted(option.choices.join(' '))}` : '';
        const value = option.takesValue && !choices ? ' -r' : '';
        return `${always} ${names.join(' ')}${value}${choices} -d ${quoted(option.describe)}`;
      }),
    ];
  });
  return `# fish completion for ${program.name}\n${lines.join('\n')}\n`;
}

function fishCondition({ key, commands }) {
  const seen = key
    .split(' ')
    .filter(Boolean)
    .map((word) => `__fish_seen_subcommand_from ${word}`);
  const below = commands.map(lastWord);
  if (below.length > 0) seen.push(`not __fish_seen_subcommand_from ${below.join(' ')}`);
  return seen.join('; and ');
}
