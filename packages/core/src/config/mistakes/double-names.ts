// Finds names with a client for logins that another list owns: then nobody logs in for them.
import type { Config } from '../table/config.ts';
import { loginProviderOf } from '../typed/provider-names.ts';

/** What the daemon does with the tokens of the lists that own a name before a login. */
const OWNERS = {
  local: 'signs its tokens',
  client: 'fetches its tokens with client credentials',
  exchange: 'exchanges its tokens',
  pelican: 'exchanges its tokens',
  exec: 'runs a program for its tokens',
} as const;

type Owner = keyof typeof OWNERS;

/** The names in the lists of these kinds. */
export type OwnerLists = Readonly<Record<Owner, readonly string[]>>;

/** Returns each name with a `_CLIENT_ID` that a list owns, and a sentence with the fix. */
export function doubleNames(
  config: Config,
  lists: OwnerLists,
): readonly { readonly name: string; readonly text: string }[] {
  const names = config.names().flatMap((knob) => {
    const name = loginProviderOf(knob);
    return name === undefined || config.get(knob) === undefined ? [] : [name];
  });
  return [...new Set(names)].flatMap((name) => {
    const kind = (Object.keys(OWNERS) as Owner[]).find((one) => lists[one].includes(name));
    if (kind === undefined) return [];
    const text =
      `users cannot log in: ${listKnob(config, kind)} lists ${name}, so the daemon ` +
      `${OWNERS[kind]}, but ${name}_CLIENT_ID is set; fix: remove ${name} from that list, or remove ${name}_CLIENT_ID`;
    return [{ name, text }];
  });
}

/** Returns the knob that lists the names of a kind; the local list has a default. */
function listKnob(config: Config, kind: Owner): string {
  const knob = `${kind.toUpperCase()}_CREDMON_PROVIDER_NAMES`;
  if (kind !== 'local' || config.get(knob) !== undefined) return knob;
  const older = config.get('LOCAL_CREDMON_PROVIDER_NAME');
  return older === undefined ? `${knob} (by default)` : 'LOCAL_CREDMON_PROVIDER_NAME';
}
