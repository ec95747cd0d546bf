// Checks all knobs of the portal and of its providers for what people often get wrong, also
// if the configuration is invalid.
import {
  createKnobReader,
  doubleNames,
  loginNamesIn,
  quotedKnobs,
  setUnusedKnobs,
  unusedKnobs,
  withoutQuoted,
  type Config,
  type ConfiguredNames,
} from '@credmon/core/config';
import { isCoded, messageOf, wrong, type Finding } from '@credmon/core/base';

const WHAT = 'configuration';

/**
 * Returns the errors of an invalid configuration and the findings about its knobs, without
 * errors that only follow from quotes.
 */
export function checkKnobs(config: Config, errors: readonly string[] = []): readonly Finding[] {
  const mistakes = errors.map((text) => wrong(WHAT, text));
  try {
    const quoted = quotedKnobs(config);
    return [
      ...withoutQuoted(mistakes, quoted),
      ...quoted.map(({ state, text }) => ({ what: WHAT, state, text })),
      ...unknownKnobs(config),
      ...doubleNames(config, namesIn(config)).map(({ name, text }) =>
        wrong(`provider ${name}`, text),
      ),
    ];
  } catch (error) {
    if (!isCoded(error, 'CONFIG_LIMIT')) throw error;
    return mistakes.length > 0 ? mistakes : [wrong(WHAT, messageOf(error))];
  }
}

/** Unknown knobs of the portal and of providers with logins; `check` reports the others. */
function unknownKnobs(config: Config): readonly Finding[] {
  const configured = namesIn(config);
  const begins = configured.logins.map((name) => `${name}_`.toLowerCase());
  const ours = setUnusedKnobs(config).filter(({ name }) => {
    const rest = name.toLowerCase().replace(/^credmon_/, '');
    return /^CREDMON_WEB_/i.test(name) || begins.some((begin) => rest.startsWith(begin));
  });
  return unusedKnobs(ours, configured);
}

function namesIn(config: Config): ConfiguredNames {
  const read = createKnobReader(config);
  return {
    local: read.list('LOCAL_CREDMON_PROVIDER_NAMES') ?? read.list('LOCAL_CREDMON_PROVIDER_NAME'),
    client: read.list('CLIENT_CREDMON_PROVIDER_NAMES') ?? [],
    exchange: read.list('EXCHANGE_CREDMON_PROVIDER_NAMES') ?? [],
    pelican: read.list('PELICAN_CREDMON_PROVIDER_NAMES') ?? [],
    exec: read.list('EXEC_CREDMON_PROVIDER_NAMES') ?? [],
    logins: [...new Set(loginNamesIn(config))],
    standing: [],
    maps: [],
    subsystem: config.subsystem,
  };
}
