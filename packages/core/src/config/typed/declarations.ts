// The declarations of credmon's own knobs, and a configuration with their defaults.
import table from './knobs.json' with { type: 'json' };
import type { Config } from '../table/config.ts';

/** A declared name. It may hold places to fill in, such as `<PROVIDER>`. */
export type KnobName = keyof typeof table;

/** The type of a knob: the method of the knob reader that reads it. */
export type KnobType =
  'string' | 'path' | 'list' | 'boolean' | 'integer' | 'number' | 'duration' | 'size or time';

/**
 * One knob. `own` is the name of the same knob for one provider, token or program.
 * `default` is absent when there is none that is always the same: `defaultNote` says what
 * counts then, or completes it. `unit`, `min` and `max` (both inclusive) are for numbers.
 * A text may contain macros.
 */
export interface KnobDeclaration {
  readonly own?: string;
  readonly type: KnobType;
  /**
   * Whether quotes around the value can be right: `meant` in an expression, `possible` in
   * a free text. Everywhere else they are a mistake.
   */
  readonly quotes?: 'meant' | 'possible';
  readonly unit?: string;
  readonly default?: string | number | boolean | readonly string[];
  readonly defaultNote?: string;
  readonly min?: number;
  readonly max?: number;
  /** The programs of this project that read it. */
  readonly readers: readonly string[];
  readonly otherReaders: readonly string[];
  readonly help: string;
}

/** Every knob that credmon reads, by its declared name. */
export const KNOBS: Readonly<Record<KnobName, KnobDeclaration>> = table as Record<
  KnobName,
  KnobDeclaration
>;

/** The value of a declared default; `undefined` when the declaration has none. */
export type DefaultOf<Name extends KnobName> = (typeof table)[Name] extends {
  readonly default: infer Value;
}
  ? Value
  : undefined;

/** Returns the declared default of a knob. */
export function knobDefault<Name extends KnobName>(name: Name): DefaultOf<Name> {
  return KNOBS[name].default as DefaultOf<Name>;
}

/** A declared name without places. */
export type PlainKnobName = Exclude<KnobName, `${string}<${string}`>;

/** A declared name that has an `own` form. */
export type SharedKnobName = {
  [Name in KnobName]: (typeof table)[Name] extends { readonly own: string } ? Name : never;
}[KnobName];

/** A knob as it is named in a configuration, with its declaration. */
export interface NamedKnob<Name extends KnobName = KnobName> {
  readonly declared: Name;
  readonly name: string;
}

/**
 * A knob for one provider, token or program. Where it is not set, the shared knob counts:
 * no default applies to it.
 */
export interface OwnKnob extends NamedKnob {
  readonly shared: true;
}

/** Fills the places of a declared name, in their order. */
export function knob<Name extends KnobName>(
  declared: Name,
  ...names: readonly string[]
): NamedKnob<Name> {
  return { declared, name: filled(declared, names) };
}

/**
 * Returns the knob for one provider, token or program: the places of the declared `own`
 * name are filled, in their order.
 */
export function ownKnob(declared: SharedKnobName, ...names: readonly string[]): OwnKnob {
  return { declared, name: filled(table[declared].own, names), shared: true };
}

/**
 * Returns the knob for one provider, token or program where it is set, even to nothing,
 * else the shared one; the default applies to both.
 */
export function ownIfSet<Name extends PlainKnobName & SharedKnobName>(
  config: Config,
  declared: Name,
  ...names: readonly string[]
): NamedKnob<Name> {
  const { name } = ownKnob(declared, ...names);
  return { declared, name: config.origin(name) === undefined ? declared : name };
}

function filled(pattern: string, names: readonly string[]): string {
  let index = 0;
  const name = pattern.replaceAll(/<[A-Z]+>/g, (place) => names[index++] ?? place);
  if (index !== names.length) throw new Error(`${pattern}: ${names.length} names for its places`);
  return name;
}

/** A declared default as it would be written in a configuration. */
export function defaultText({ default: value }: KnobDeclaration): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'object' ? value.join(', ') : String(value);
}

/** The kinds of clients that stand for `<KIND>`. */
export const CLIENT_KINDS = ['CLIENT', 'EXCHANGE', 'PELICAN'] as const;

/** Returns a function that makes its value at the first call. */
export function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** HTCondor's own knobs have the defaults of its table, and no others. */
const OURS = /(?:^|_)CREDMON_/;

/** The declarations of credmon's own knobs, with each name that `<KIND>` stands for. */
const own = once((): readonly (readonly [string, KnobDeclaration])[] =>
  Object.entries(KNOBS)
    .flatMap(([name, knob]) =>
      name.includes('<KIND>')
        ? CLIENT_KINDS.map((kind) => [name.replace('<KIND>', kind), knob] as const)
        : [[name, knob] as const],
    )
    .filter(([name]) => OURS.test(name)),
);

const plain = once(
  () =>
    new Map(
      own()
        .filter(([name]) => !name.includes('<'))
        .map(([name, knob]) => [name.toLowerCase(), knob]),
    ),
);
/** A dot is not part of a provider's name: `SUBSYS.X` is X for one program. */
const patterns = once(() =>
  own()
    .filter(([name]) => name.includes('<'))
    .map(([name, knob]) => ({
      end: name.slice(name.lastIndexOf('>') + 1).toLowerCase(),
      pattern: once(() => new RegExp(`^${name.replaceAll(/<[A-Z]+>/g, '[^.]+')}$`, 'i')),
      knob,
    })),
);

/**
 * Returns the declaration of a knob of credmon's own, by its name in a configuration;
 * names compare without case.
 */
export function declarationOf(name: string): KnobDeclaration | undefined {
  const key = name.toLowerCase();
  return (
    plain().get(key) ??
    patterns().find(({ end, pattern }) => key.endsWith(end) && pattern().test(name))?.knob
  );
}

/** Returns `config` with the declared default of each of credmon's own knobs not set. */
export function withDeclaredDefaults(config: Config): Config {
  const defaultOf = (name: string): string | undefined => {
    if (config.origin(name) !== undefined) return undefined;
    const declaration = declarationOf(name);
    return declaration && defaultText(declaration);
  };
  return {
    ...config,
    raw: (name) => config.raw(name) ?? defaultOf(name),
    get: (name) => {
      const text = defaultOf(name);
      return text === undefined ? config.get(name) : config.expand(text);
    },
    foundName: (name) =>
      config.foundName(name) ?? (defaultOf(name) === undefined ? undefined : name),
    origin: (name) =>
      config.origin(name) ?? (defaultOf(name) === undefined ? undefined : { kind: 'default' }),
    names: () => {
      const unset = own().filter(([name]) => !name.includes('<') && defaultOf(name) !== undefined);
      return [...config.names(), ...unset.map(([name]) => name)].sort((a, b) =>
        a.toLowerCase() < b.toLowerCase() ? -1 : 1,
      );
    },
  };
}
