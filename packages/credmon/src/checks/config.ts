// The check command's look at the configuration itself: its mistakes, and knobs that
// nobody reads.
import { createKnobReader, originText, ownKnob, type Config } from '@credmon/core/config';
import { isCoded, messageOf } from '@credmon/core/base';
import { ok, warning, wrong, type Finding } from './finding.ts';
import { oddKnobs } from './knobs.ts';
import { readLists, type Settings } from '../settings/read.ts';
import { loginNames } from './logins.ts';
import { settingsOf } from '../status/tokens.ts';

const WHAT = 'configuration';

/**
 * The settings, unless there is a mistake in them, and what there is to say of the
 * configuration either way.
 */
export function lookAtConfig(
  config: Config,
  command: { readonly credDir: string | undefined },
): { readonly settings?: Settings; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const tried = <Value>(work: () => Value): Value | undefined => {
    try {
      return work();
    } catch (error) {
      for (const text of mistakesOf(error))
        if (!findings.some((known) => known.text === text)) findings.push(wrong(WHAT, text));
      return undefined;
    }
  };
  const settings = tried(() => settingsOf(config, command));
  if (settings) {
    const told = settings.warnings.filter((text) => !SAID_ELSEWHERE.test(text));
    const sources = config.sources.join(', ') || 'the environment alone';
    findings.push(ok(WHAT, `${sources}: no mistakes`), ...told.map((text) => warning(WHAT, text)));
  }
  const odd = tried(() => lookAtKnobs(config));
  return { ...(settings ? { settings } : {}), findings: [...findings, ...(odd ?? [])] };
}

/** Each mistake of a configuration, with the lines that show it. */
export function mistakesOf(error: unknown): string[] {
  const text = messageOf(error);
  if (!isCoded(error, 'CONFIG_INVALID')) return [text];
  // What is indented belongs to the mistake above it.
  const [first = '', ...mistakes] = text.split(/\n(?! )/);
  return mistakes.length === 0 ? [first] : mistakes;
}

/** Each provider's own findings say it better. */
const SAID_ELSEWHERE = /no usable token will be signed|are renewed only where a \.meta stands/;

/**
 * Knobs that somebody set and nobody reads. A macro that another value uses is read by
 * that.
 */
function lookAtKnobs(config: Config): Finding[] {
  const read = createKnobReader(config);
  const lists = readLists(read);
  const standing = read.list('CREDMON_STANDING_TOKENS') ?? [];
  // Local or client: only their own knobs tell, and one of those may be what is misspelt.
  const ofStanding = [
    read.string('CREDMON_STANDING_PROVIDER'),
    ...standing.map((name) => read.string(ownKnob('CREDMON_STANDING_PROVIDER', name))),
  ].filter((provider) => provider !== undefined);
  const maps = [
    ...(read.list('CLASSAD_USER_MAP_NAMES') ?? []),
    ...(read.list(ownKnob('CLASSAD_USER_MAP_NAMES', config.subsystem)) ?? []),
  ];
  const names = config.names();
  const used = new Set(
    names.flatMap((name) =>
      [...(config.raw(name) ?? '').matchAll(/\$\w*\(([\w.]+)/g)].map(([, macro = '']) =>
        macro.toLowerCase(),
      ),
    ),
  );
  const set = names.flatMap((name) => {
    const origin = config.origin(name);
    const chosen =
      origin?.kind === 'environment' || (origin?.kind === 'file' && origin.template === undefined);
    return chosen && !used.has(name.toLowerCase()) ? [{ name, place: originText(origin) }] : [];
  });
  return oddKnobs(set, {
    ...lists,
    local: [...lists.local, ...ofStanding],
    client: [...lists.client, ...ofStanding],
    logins: [...loginNames(config, { lists }), ...(lists.vault === '*' ? [] : lists.vault)],
    standing,
    maps,
    subsystem: config.subsystem,
  });
}
