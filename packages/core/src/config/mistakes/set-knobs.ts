// The knobs that a configuration sets, with the declarations of those that our programs
// read.
import { originText, type Config } from '../table/config.ts';
import { CLIENT_KINDS, KNOBS, once, type KnobDeclaration } from '../typed/declarations.ts';

/** A knob that is set in a file or the environment, and where: `file, line N`. */
export interface SetKnob {
  /** The name as written, possibly with a subsystem and a dot. */
  readonly written: string;
  readonly name: string;
  readonly place: string;
}

/**
 * Returns the knobs that the administrator sets: no defaults, none of a template. With
 * `isWanted`, only knobs with such names are looked up.
 */
export function setKnobs(
  config: Config,
  isWanted: (name: string) => boolean = () => true,
): SetKnob[] {
  const wanted = config.setNames().filter((one) => isWanted(one.slice(one.lastIndexOf('.') + 1)));
  return wanted.flatMap((written) => {
    const origin = config.origin(written);
    const chosen =
      origin?.kind === 'environment' || (origin?.kind === 'file' && origin.template === undefined);
    // `CREDMON_OAUTH.X` is the knob X of one program.
    const name = written.slice(written.lastIndexOf('.') + 1);
    return chosen ? [{ written, name, place: originText(origin) }] : [];
  });
}

/**
 * Returns the knobs of {@link setKnobs} that no other value uses as a macro; `value`
 * expands.
 */
export function setUnusedKnobs(
  config: Config,
): (SetKnob & { readonly value: () => string | undefined })[] {
  const used = new Set(
    config
      .names()
      .flatMap((name) =>
        [...(config.raw(name) ?? '').matchAll(/\$\w*\(([\w.]+)/g)].map(([, macro = '']) =>
          macro.toLowerCase(),
        ),
      ),
  );
  return setKnobs(config)
    .filter(({ written }) => !used.has(written.toLowerCase()))
    .map((knob) => ({ ...knob, value: () => config.get(knob.written) }));
}

/** The programs whose own knobs are declared with `<SUBSYS>`. */
const SUBSYSTEMS = 'CREDMON_OAUTH|CREDMON_WEB';

/** Each declared name, also that of the same knob for one provider, with its declaration. */
const declared = once((): readonly (readonly [string, KnobDeclaration])[] =>
  Object.entries(KNOBS).flatMap(([name, knob]) => [
    [name, knob] as const,
    ...(knob.own === undefined ? [] : [[knob.own, knob] as const]),
  ]),
);

/** By the names without places, in lower case; of two the first counts. */
const plain = once(
  () =>
    new Map(
      declared()
        .toReversed()
        .map(([name, knob]) => [name.toLowerCase(), knob]),
    ),
);

const patterns = once(() =>
  declared()
    .filter(([name]) => name.includes('<'))
    .map(([name, knob]) => {
      const pattern = name
        .replace('<KIND>', `(?:${CLIENT_KINDS.join('|')})`)
        .replace('<SUBSYS>', `(?:${SUBSYSTEMS})`)
        .replaceAll(/<[A-Z]+>/g, '.+');
      const fixed = name.replaceAll(/<[A-Z]+>/g, '').length;
      const end = name.slice(name.lastIndexOf('>') + 1).toLowerCase();
      return { end, pattern: once(() => new RegExp(`^${pattern}$`, 'i')), fixed, knob };
    })
    // A provider's name may contain anything: the pattern with the longest fixed text wins.
    .sort((a, b) => b.fixed - a.fixed),
);

/**
 * Returns the declaration of a knob by its name in a configuration, whatever provider or
 * token it is for.
 */
export function declarationFor(name: string): KnobDeclaration | undefined {
  const key = name.toLowerCase();
  return (
    plain().get(key) ??
    patterns().find(({ end, pattern }) => key.endsWith(end) && pattern().test(name))?.knob
  );
}
