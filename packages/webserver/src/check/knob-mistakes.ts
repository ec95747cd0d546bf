// Checks all knobs of the portal and of its providers for what people often get wrong, also
// if the configuration is invalid.
import { quotedKnobs, withoutQuoted, type Config } from '@credmon/core/config';
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
    ];
  } catch (error) {
    if (!isCoded(error, 'CONFIG_LIMIT')) throw error;
    return mistakes.length > 0 ? mistakes : [wrong(WHAT, messageOf(error))];
  }
}
