// Names that are probably mistakes: knobs of older HTCondor versions, and one name
// defined twice.
import table from './old-knobs.json' with { type: 'json' };
import { evaluateExpression } from '../macros/conditions.ts';
import { splitList } from '../macros/text.ts';
import { parseBoolean } from '../macros/values.ts';
import type { Config } from '../table/config.ts';
import { knob } from '../typed/declarations.ts';
import { loginProviderOf } from '../typed/provider-names.ts';
import { type SetKnob, setKnobs } from './set-knobs.ts';

/** A knob of an older credmon that is set. */
export interface OldKnob {
  readonly name: string;
  /** `error`: what it says is refused, so its provider does not work. */
  readonly state: 'warning' | 'error';
  /** `file, line N: NAME ...`, with what to write instead. No secret is in it. */
  readonly text: string;
}

/** How an old knob is treated. */
interface OldKnobRule {
  /** The knob that replaces it, with the same value. */
  readonly successor?: string;
  /** Other old knobs that win over it. */
  readonly hidden?: readonly string[];
  /** What the old name still does, if less than before. */
  readonly works?: string;
  /** The name still has a meaning of its own beside its successor. */
  readonly kept?: boolean;
  /** The name of a daemon in DAEMON_LIST. */
  readonly daemon?: boolean;
  /** What to do about a knob without effect; `<PROGRAMS>` is the folder of the programs. */
  readonly ignored?: string;
  /** Only a boolean value is old: the name is also a good one for a macro. */
  readonly switch?: boolean;
  /** Only these values are old, by the last part of their path. */
  readonly programs?: readonly string[];
}

const RULES: ReadonlyMap<string, OldKnobRule> = new Map(Object.entries(table));

/** Where `npm run install-to -- /usr/local` puts the programs. */
const USUAL_FOLDER = '/usr/local/bin';

/**
 * Returns the old knobs that are set, each with one sentence. `programs` is the folder of
 * the programs of this installation.
 * @throws CodedError `CONFIG_LIMIT` on endless expansion
 */
export function oldKnobs(config: Config, programs: string = USUAL_FOLDER): OldKnob[] {
  return setKnobs(config, isOld).flatMap((set): OldKnob[] => {
    const rule = RULES.get(set.name.toUpperCase());
    const what = rule ? sentenceFor(config, set, rule, programs) : undefined;
    if (what === undefined) return secretIn(config, set);
    return [{ name: set.written, state: 'warning', text: `${set.place}: ${set.name} ${what}` }];
  });
}

const isOld = (name: string): boolean =>
  RULES.has(name.toUpperCase()) || /_CLIENT_SECRET$/i.test(name);

function sentenceFor(
  config: Config,
  { written }: SetKnob,
  rule: OldKnobRule,
  folder: string,
): string | undefined {
  const value = config.raw(written)?.trim() ?? '';
  const { successor, ignored, programs } = rule;
  if (programs && !programs.includes(value.split('/').at(-1) ?? '')) return undefined;
  if (rule.switch === true && parseBoolean(value, evaluateExpression) === undefined)
    return undefined;
  if (ignored !== undefined) return `is ignored; ${ignored.replace('<PROGRAMS>', folder)}`;
  if (successor === undefined || value === '') return undefined;
  if (rule.daemon === true) return daemonSentence(config, successor, folder);
  const winner = [successor, ...(rule.hidden ?? [])].find((one) => isSet(config, one));
  if (winner !== undefined)
    return rule.kept === true ? undefined : `is ignored, because ${winner} is set; remove the line`;
  const works = rule.works === undefined ? '' : ` (${rule.works})`;
  return `is an old name that still works${works}; write instead: ${successor} = ${value}`;
}

/** condor_master starts whatever DAEMON_LIST names, so an old name works, too. */
function daemonSentence(config: Config, successor: string, folder: string): string {
  const daemons = splitList((config.get('DAEMON_LIST') ?? '').toUpperCase());
  const write = `write instead: ${successor} = ${folder}/condor_credmon`;
  return daemons.includes('SEC_CREDENTIAL_MONITOR')
    ? 'is an old name that still works, because DAEMON_LIST names it; ' +
        `${write}, and ${successor} for SEC_CREDENTIAL_MONITOR in DAEMON_LIST`
    : `is ignored, because DAEMON_LIST does not name it; ${write}`;
}

function isSet(config: Config, name: string): boolean {
  return config.origin(name) !== undefined && config.get(name) !== undefined;
}

/** A client secret in the configuration itself: neither CredD nor our programs read it. */
function secretIn(config: Config, { written, name, place }: SetKnob): OldKnob[] {
  const provider = loginProviderOf(name.replace(/_SECRET$/i, '_ID'));
  if (provider === undefined) return [];
  if (!isSet(config, written) || !isSet(config, `${provider}_CLIENT_ID`)) return [];
  const why = 'the secret is in clear: everyone who may run condor_config_val can read it';
  const successor = knob('<PROVIDER>_CLIENT_SECRET_FILE', provider).name;
  if (isSet(config, successor))
    return [
      {
        name: written,
        state: 'warning',
        text: `${place}: ${name} is ignored; ${why}; remove the line, and change the secret at the issuer`,
      },
    ];
  const file = `/etc/condor/.secrets/${provider}`;
  const text =
    `${place}: ${name} is refused; ${why}; write instead: ${successor} = ${file}, and put the ` +
    `secret into that file: install -D -m 600 /dev/stdin ${file}`;
  return [{ name: written, state: 'error', text }];
}

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
  const names = config.setNames().flatMap((knob) => {
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
