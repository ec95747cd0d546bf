// Random configuration files from a seed, for comparisons with condor_config_val.
import { seededRandom, type Chance } from './seeded-random.ts';

/** A file, and the knobs that are asked for afterwards. */
export interface RandomConfiguration {
  readonly text: string;
  readonly names: readonly string[];
  /** Both empty, or the names for which prefixed knobs count. */
  readonly subsystem: string;
  readonly localName: string;
}

const NAMES = ['A', 'Bee', 'LIST_1', 'deep.name', 'Path', 'NUM', 'Flag', 'X2'] as const;
const WORDS = ['red', 'Green', 'blue sky', 'a,b', 'x , y ,z', '/var/lib/data.tar.gz', '"quoted"'];
const NUMBERS = ['0', '7', '-3', '12', '3.5', '2*3+1', '0x10', '1e2', '6 / 4', '(4 > 2)'];
const BOOLEANS = ['true', 'False', 'YES', 'no', 't', 'f', '1', '0'];
const PREFIXES = ['', '', '', '', 'CREDD.', 'SITE1.', 'CREDD.SITE1.', 'SCHEDD.'];

/** Returns the random file of this seed. */
export function randomConfiguration(seed: number): RandomConfiguration {
  const chance = seededRandom(seed);
  const lines: string[] = [];
  const count = 3 + chance.below(10);
  for (let index = 0; index < count; index += 1) lines.push(...statement(chance, 0));
  const [subsystem, localName] = chance.pick([
    ['', ''],
    ['CREDD', ''],
    ['CREDD', 'SITE1'],
    ['SCHEDD', ''],
  ] as const);
  return { text: `${lines.join('\n')}\n`, names: NAMES, subsystem, localName };
}

type Maker = (chance: Chance, depth: number) => readonly string[];

const assignment: Maker = (chance) => {
  const [name, after] = target(chance);
  const equals = chance.pick([' = ', '=', '\t=  ', ' =\t']);
  const end = chance.pick(['', '', ' ', '\t']);
  return [`${chance.pick(PREFIXES)}${name}${equals}${value(chance, 0, after)}${end}`];
};

const STATEMENTS: readonly Maker[] = [
  assignment,
  assignment,
  assignment,
  assignment,
  assignment,
  (chance) => {
    const [name, after] = target(chance);
    return [`${name} = $(${name}) ${value(chance, 1, after)}`];
  },
  (chance) => {
    const [name, after] = target(chance);
    return [`${name} = ${value(chance, 1, after)} \\`, `   ${value(chance, 1, after)}`];
  },
  (chance) => {
    const [name, after] = target(chance);
    const second = chance.pick(['', '# no comment', value(chance, 1, after)]);
    return [`${name} @=end`, `  ${value(chance, 1, after)}`, second, '@end'];
  },
  (chance, depth) => condition(chance, depth),
  (chance) => [chance.pick(['', '# a comment', '   # indented', '#= x', '## A = 1'])],
  (chance) => [
    chance.pick([
      'include ifexist : /nowhere/$(A).conf',
      'use SECURITY : HOST_BASED',
      'use feature:GPUs',
      'use POLICY: ALWAYS_RUN_JOBS',
      'use ROLE : Submit',
    ]),
  ],
];

function statement(chance: Chance, depth: number): readonly string[] {
  return chance.pick(STATEMENTS)(chance, depth);
}

function condition(chance: Chance, depth: number): readonly string[] {
  if (depth > 2) return assignment(chance, depth);
  const body = (): readonly string[] => [
    ...statement(chance, depth + 1),
    ...(chance.one(2) ? statement(chance, depth + 1) : []),
  ];
  const lines = [`${chance.pick(['if', 'IF', '  if'])} ${test(chance)}`, ...body()];
  if (chance.one(3)) lines.push(`elif ${test(chance)}`, ...body());
  if (chance.one(2)) lines.push('else', ...body());
  return [...lines, chance.pick(['endif', 'ENDIF', '  endif'])];
}

function test(chance: Chance): string {
  return chance.pick([
    () => `defined ${nameOf(chance)}`,
    () => `! defined ${nameOf(chance)}`,
    () => `$(${nameOf(chance)}:${chance.pick(BOOLEANS)})`,
    () => `defined $(${nameOf(chance)})`,
    () => `version ${chance.pick(['>=', '<', '==', '!='])} ${chance.pick(['8.1', '9.0.3', '99'])}`,
    () => chance.pick(BOOLEANS),
    () => chance.pick(['0', '1', '-1', '0.0', '5.5', '', 'maybe', '$(A)']),
    () => `defined use ${chance.pick(['ROLE', 'FEATURE:GPUs', 'nothing'])}`,
  ])();
}

/**
 * A knob that is set, and the number of the first one that its value may name: one behind
 * it, because condor_config_val hangs on most values without an end. A few files have one.
 */
function target(chance: Chance): [name: string, after: number] {
  const index = chance.below(NAMES.length);
  return [inAnyCase(chance, NAMES[index] ?? ''), chance.one(100) ? 0 : index + 1];
}

const nameOf = (chance: Chance, after = 0): string =>
  after < NAMES.length ? inAnyCase(chance, chance.pick(NAMES.slice(after))) : 'NOT_SET';

/** Names do not depend on it. */
const inAnyCase = (chance: Chance, name: string): string =>
  chance.pick([name, name, name.toUpperCase(), name.toLowerCase()]);

function value(chance: Chance, depth: number, after: number): string {
  const plain = (): string => chance.pick([...WORDS, ...NUMBERS, ...BOOLEANS, '']);
  if (depth > 2) return plain();
  return chance.pick([
    plain,
    plain,
    () => `$(${nameOf(chance, after)})`,
    () => `$(${nameOf(chance, after)}:${value(chance, 3, after)})`,
    () => `${plain()}$(${nameOf(chance, after)})${plain()}`,
    () => `$ENV(${chance.pick(['HOME', 'NOWHERE', 'NOWHERE:none'])})`,
    () => `$$(${nameOf(chance, after)})`,
    () => `$(DOLLAR)(${nameOf(chance, after)})`,
    () => call(chance, after),
    () => `${value(chance, depth + 1, after)} ${value(chance, depth + 1, after)}`,
  ])();
}

function call(chance: Chance, after: number): string {
  const name = nameOf(chance, after);
  return chance.pick([
    () => `$INT(${name}${chance.pick(['', ',%d', ',%04d', ',%x', ',%5d'])})`,
    () => `$REAL(${name}${chance.pick(['', ',%.2f', ',%g', ',%e'])})`,
    () => `$STRING(${name}${chance.pick(['', ',%s', ',%8s', ',%-4s|'])})`,
    () => `$SUBSTR(${name},${chance.pick(['0', '2', '-3', '99', '1,2', '0,-1', '-4,3'])})`,
    // 23.9 reads beyond the end of a list that is too short.
    () => `$CHOICE(${chance.pick(['0', '1', '1*1'])},${chance.pick(['a,b,c', 'p , q'])})`,
    () => `$DIRNAME(${name})`,
    () => `$BASENAME(${name})`,
    () =>
      `$F${chance.pick(['', 'p', 'd', 'n', 'x', 'pn', 'nx', 'pdnx', 'q', 'pq', 'u', 'b', 'f'])}(${name})`,
    () => `$EVAL(${name})`,
  ])();
}
