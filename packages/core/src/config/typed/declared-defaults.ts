// A configuration with the declared defaults of credmon's own knobs, for commands that
// show knobs to people.
import type { Config } from '../table/config.ts';
import { CLIENT_KINDS, KNOBS, defaultText, type KnobDeclaration } from './declarations.ts';

/** HTCondor's own knobs have the defaults of its table, and no others. */
const OURS = /(?:^|_)CREDMON_/;

/** The declarations of credmon's own knobs, with each name that `<KIND>` stands for. */
const own: readonly (readonly [string, KnobDeclaration])[] = Object.entries(KNOBS)
  .flatMap(([name, knob]) =>
    name.includes('<KIND>')
      ? CLIENT_KINDS.map((kind) => [name.replace('<KIND>', kind), knob] as const)
      : [[name, knob] as const],
  )
  .filter(([name]) => OURS.test(name));

const plain = new Map(
  own.filter(([name]) => !name.includes('<')).map(([name, knob]) => [name.toLowerCase(), knob]),
);
/** A dot is not part of a provider's name: `SUBSYS.X` is X for one program. */
const patterns = own
  .filter(([name]) => name.includes('<'))
  .map(
    ([name, knob]) =>
      [new RegExp(`^${name.replaceAll(/<[A-Z]+>/g, '[^.]+')}$`, 'i'), knob] as const,
  );

/**
 * Returns the declaration of a knob of credmon's own, by its name in a configuration;
 * names compare without case.
 */
export function declarationOf(name: string): KnobDeclaration | undefined {
  return plain.get(name.toLowerCase()) ?? patterns.find(([pattern]) => pattern.test(name))?.[1];
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
      const unset = own.filter(([name]) => !name.includes('<') && defaultOf(name) !== undefined);
      return [...config.names(), ...unset.map(([name]) => name)].sort((a, b) =>
        a.toLowerCase() < b.toLowerCase() ? -1 : 1,
      );
    },
  };
}
