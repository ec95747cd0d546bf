// The names and addresses of this host by the network knobs.
import type { EvaluateExpression } from '../macros/evaluate.ts';
import { trim } from '../macros/text.ts';
import { parseBoolean } from '../macros/values.ts';
import {
  chooseAddresses,
  type FamilySetting,
  type HostAddress,
  type NetworkProblem,
} from './addresses.ts';

/** Returns the expanded value of a knob; empty if it is not set. */
type ReadKnob = (name: string) => string;

/** The parts of the host's facts that names come from. */
interface NameFacts {
  readonly fullHostname: () => string;
  readonly addresses: () => readonly HostAddress[];
}

/**
 * Returns IP_ADDRESS and the others by NETWORK_INTERFACE, ENABLE_IPV4 and ENABLE_IPV6, and
 * what is wrong with these knobs. A knob without an address is empty.
 */
export function addressKnobs(
  knob: ReadKnob,
  addresses: readonly HostAddress[],
  evaluate: EvaluateExpression,
): { readonly knobs: Record<string, string>; readonly problem: NetworkProblem | undefined } {
  const [text4, text6] = [knob('ENABLE_IPV4'), knob('ENABLE_IPV6')];
  const setting = (text: string): FamilySetting | undefined =>
    /^(?:auto)?$/i.test(trim(text)) ? 'auto' : parseBoolean(text, evaluate);
  const [enable4, enable6] = [setting(text4), setting(text6)];
  const { ipv4, ipv6, problem } = chooseAddresses(addresses, knob('NETWORK_INTERFACE'), {
    ipv4: enable4 ?? 'auto',
    ipv6: enable6 ?? 'auto',
  });
  return {
    knobs: {
      IP_ADDRESS: ipv4 ?? ipv6 ?? '',
      IP_ADDRESS_IS_IPV6: String(ipv4 === undefined && ipv6 !== undefined),
      IPV4_ADDRESS: ipv4 ?? '',
      IPV6_ADDRESS: ipv6 ?? '',
    },
    problem:
      (enable4 === undefined ? invalid('ENABLE_IPV4', text4) : undefined) ??
      (enable6 === undefined ? invalid('ENABLE_IPV6', text6) : problem),
  };
}

function invalid(name: 'ENABLE_IPV4' | 'ENABLE_IPV6', text: string): NetworkProblem {
  return { knob: name, message: `${name} = ${text} must be true, false or auto` };
}

/**
 * Returns FULL_HOSTNAME and HOSTNAME: NETWORK_HOSTNAME or the machine's own name, with
 * DEFAULT_DOMAIN_NAME if it has no domain. With NO_DNS the own name is made of the
 * address, such as `192-0-2-2`, and empty without a domain.
 */
export function hostNames(
  knob: ReadKnob,
  facts: NameFacts,
  evaluate: EvaluateExpression,
): Record<'FULL_HOSTNAME' | 'HOSTNAME', string> {
  const domain = trim(knob('DEFAULT_DOMAIN_NAME')).replace(/^\./, '');
  const forced = trim(knob('NETWORK_HOSTNAME'));
  const isWithoutDns = forced === '' && parseBoolean(knob('NO_DNS'), evaluate) === true;
  const name = isWithoutDns
    ? nameOfAddress(knob, facts, evaluate, domain)
    : forced || facts.fullHostname();
  const full = name === '' || name.includes('.') || domain === '' ? name : `${name}.${domain}`;
  return { FULL_HOSTNAME: full, HOSTNAME: full.split('.', 1)[0] ?? full };
}

function nameOfAddress(
  knob: ReadKnob,
  facts: NameFacts,
  evaluate: EvaluateExpression,
  domain: string,
): string {
  if (domain === '') return '';
  const { knobs } = addressKnobs(knob, facts.addresses(), evaluate);
  return (knobs['IP_ADDRESS'] ?? '').replace(/[.:]/g, '-');
}

/**
 * Returns the canonical name of a host in the text of /etc/hosts: the first name of the
 * first line that has it; `undefined` if no line has it.
 * @see hosts(5)
 */
export function nameInHosts(host: string, text: string): string | undefined {
  for (const line of text.split('\n')) {
    const [, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (names.some((name) => name.toLowerCase() === host.toLowerCase())) return names[0];
  }
  return undefined;
}
