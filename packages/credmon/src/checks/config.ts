// Checks the configuration itself: errors, and knobs that are not used.
import {
  createKnobReader,
  oldKnobs,
  ownKnob,
  quotedKnobs,
  setUnusedKnobs,
  unusedKnobs,
  withoutQuoted,
  type Config,
  type OldKnob,
  type QuotedKnob,
} from '@credmon/core/config';
import {
  hasErrors,
  isCoded,
  messageOf,
  ok,
  warning,
  wrong,
  type Finding,
} from '@credmon/core/base';
import { readLists, type Settings } from '../settings/read.ts';
import { loginNames } from './logins.ts';
import { checkTemplates } from './templates.ts';
import { settingsOf } from '../status/tokens.ts';

const WHAT = 'configuration';

/**
 * Returns the settings, unless they are invalid, and the findings about the
 * configuration.
 */
export function checkConfig(
  config: Config,
  command: { readonly credDir: string | undefined },
): { readonly settings?: Settings; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const attempt = <Value>(work: () => Value): Value | undefined => {
    try {
      return work();
    } catch (error) {
      for (const text of mistakesOf(error))
        if (!findings.some((known) => known.text === text)) findings.push(wrong(WHAT, text));
      return undefined;
    }
  };
  const old = attempt(() => oldKnobs(config)) ?? [];
  const settings = attempt(() => settingsOf(config, command));
  if (settings) {
    const warnings = settings.warnings.filter(
      (text) => !REPORTED_ELSEWHERE.test(text) && !old.some((one) => one.text === text),
    );
    for (const text of warnings) findings.push(warning(WHAT, text));
  }
  const quoted = attempt(() => quotedKnobs(config)) ?? [];
  const odd = attempt(() => checkKnobs(config, old)) ?? [];
  const templates = attempt(() => checkTemplates(config)) ?? [];
  const mistakes = withoutQuoted(findings, quoted);
  const all = [...mistakes, ...[...old, ...quoted].map(plainFinding), ...odd, ...templates];
  const sources = config.sources.join(', ') || 'only the environment';
  return {
    ...(settings ? { settings } : {}),
    findings: hasErrors(all) ? all : [ok(WHAT, `${sources}: no errors`), ...all],
  };
}

function plainFinding({ state, text }: QuotedKnob | OldKnob): Finding {
  return { what: WHAT, state, text };
}

/**
 * Splits an error of the configuration into its mistakes, each with the lines that show
 * it.
 */
export function mistakesOf(error: unknown): string[] {
  const text = messageOf(error);
  if (!isCoded(error, 'CONFIG_INVALID')) return [text];
  // Indented lines belong to the mistake above them.
  const [first = '', ...mistakes] = text.split(/\n(?! )/);
  return mistakes.length === 0 ? [first] : mistakes;
}

/** Warnings that a provider's own check reports better. */
const REPORTED_ELSEWHERE = /no usable token will be signed|are renewed only if they have a \.meta/;

/**
 * Finds knobs that are set but not used. A macro that another value uses counts as used.
 */
function checkKnobs(config: Config, old: readonly OldKnob[]): Finding[] {
  const read = createKnobReader(config);
  const lists = readLists(read);
  const standing = read.list('CREDMON_STANDING_TOKENS') ?? [];
  // The provider may be local or a client: this is known only from its knobs, which may
  // be misspelt.
  const ofStanding = [
    read.string('CREDMON_STANDING_PROVIDER'),
    ...standing.map((name) => read.string(ownKnob('CREDMON_STANDING_PROVIDER', name))),
  ].filter((provider) => provider !== undefined);
  const maps = [
    ...(read.list('CLASSAD_USER_MAP_NAMES') ?? []),
    ...(read.list(ownKnob('CLASSAD_USER_MAP_NAMES', config.subsystem)) ?? []),
  ];
  const others = setUnusedKnobs(config).filter(
    ({ written }) => !old.some(({ name }) => name === written),
  );
  return unusedKnobs(others, {
    ...lists,
    local: [...lists.local, ...ofStanding],
    client: [...lists.client, ...ofStanding],
    logins: [...loginNames(config, { lists }), ...(lists.vault === '*' ? [] : lists.vault)],
    standing,
    maps,
    subsystem: config.subsystem,
  });
}
