// Chooses the addresses of this host by the network knobs, as HTCondor does.
import { splitList } from '../macros/text.ts';

/** An address of a network interface that is up. */
export interface HostAddress {
  /** The name of the interface, such as `eth0`. */
  readonly name: string;
  readonly address: string;
}

/** ENABLE_IPV4 or ENABLE_IPV6; `auto` uses a family if its addresses are of use. */
export type FamilySetting = boolean | 'auto';

/** What is wrong with the value of a network knob. */
export interface NetworkProblem {
  readonly knob: 'NETWORK_INTERFACE' | 'ENABLE_IPV4' | 'ENABLE_IPV6';
  readonly message: string;
}

/** The addresses to use, and what is wrong with the knobs. */
export interface ChosenAddresses {
  readonly ipv4: string | undefined;
  readonly ipv6: string | undefined;
  readonly problem?: NetworkProblem | undefined;
}

/** The settings of both families. */
export interface Families {
  readonly ipv4: FamilySetting;
  readonly ipv6: FamilySetting;
}

interface Rated {
  readonly address: string;
  readonly rank: number;
}

const NO_USE = 1;
const LOOPBACK = 2;
const LINK_LOCAL = 3;
const PRIVATE = 4;
const PUBLIC = 5;

/**
 * Returns the best address of each family among those that `pattern` matches: a public
 * one before private, link-local and loopback ones, and the first of equals. `pattern`
 * (NETWORK_INTERFACE) is one address, or a list of names and addresses with `*`. A
 * setting of `auto` leaves out loopback and link-local addresses if the other family has
 * better ones.
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/networking.html
 */
export function chooseAddresses(
  all: readonly HostAddress[],
  pattern: string,
  enabled: Families,
): ChosenAddresses {
  const literal = oneAddress(pattern);
  const isIpv6 = literal?.includes(':') === true;
  const matching = literal === undefined ? all.filter(matcher(pattern)) : [];
  const best4 = enabled.ipv4 === false ? undefined : best(matching, false);
  const best6 = enabled.ipv6 === false ? undefined : best(matching, true);
  const bothOff = enabled.ipv4 === false && enabled.ipv6 === false;
  const found =
    literal !== undefined && !bothOff
      ? { ipv4: isIpv6 ? undefined : literal, ipv6: isIpv6 ? literal : undefined }
      : {
          ipv4: enabled.ipv4 === 'auto' && isPoor(best4, best6) ? undefined : best4?.address,
          ipv6: enabled.ipv6 === 'auto' && isPoor(best6, best4) ? undefined : best6?.address,
        };
  return { ...found, problem: problemOf(found, pattern, enabled) };
}

function problemOf(
  found: { readonly ipv4: string | undefined; readonly ipv6: string | undefined },
  pattern: string,
  enabled: Families,
): NetworkProblem | undefined {
  if (enabled.ipv4 === false && enabled.ipv6 === false)
    return {
      knob: 'ENABLE_IPV6',
      message: 'ENABLE_IPV4 and ENABLE_IPV6 are both false: this host has no address',
    };
  if (found.ipv4 === undefined && found.ipv6 === undefined) {
    const message = `no address of this host matches NETWORK_INTERFACE = ${pattern}`;
    return { knob: 'NETWORK_INTERFACE', message };
  }
  for (const family of ['ipv4', 'ipv6'] as const) {
    const knob = family === 'ipv4' ? 'ENABLE_IPV4' : 'ENABLE_IPV6';
    const isFound = found[family] !== undefined;
    if (enabled[family] === true && !isFound)
      return { knob, message: `${knob} is true, but NETWORK_INTERFACE matches no such address` };
    if (enabled[family] === false && isFound)
      return { knob, message: `${knob} is false, but NETWORK_INTERFACE is such an address` };
  }
  return undefined;
}

/** Returns the address in its usual spelling if `text` is an IP address. */
function oneAddress(text: string): string | undefined {
  const trimmed = text.trim();
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(trimmed))
    return trimmed.split('.').every((part) => Number(part) < 256) ? trimmed : undefined;
  if (!/^[\da-f:.]*:[\da-f:.]*$/i.test(trimmed) || !URL.canParse(`http://[${trimmed}]/`))
    return undefined;
  return new URL(`http://[${trimmed}]/`).hostname.slice(1, -1);
}

/** Matches names and addresses, case-insensitively. */
function matcher(pattern: string): (one: HostAddress) => boolean {
  const patterns = splitList(pattern).map(
    (item) =>
      new RegExp(`^${item.replace(/[^*\w]/g, String.raw`\$&`).replace(/\*+/g, '.*')}$`, 'is'),
  );
  return ({ name, address }) => patterns.some((one) => one.test(name) || one.test(address));
}

function best(list: readonly HostAddress[], isIpv6: boolean): Rated | undefined {
  return list
    .filter(({ address }) => address.includes(':') === isIpv6)
    .map(({ address }) => ({ address, rank: rank(address) }))
    .reduce<Rated | undefined>((top, one) => (top && top.rank >= one.rank ? top : one), undefined);
}

function isPoor(one: Rated | undefined, other: Rated | undefined): boolean {
  return one !== undefined && one.rank < PRIVATE && other !== undefined && other.rank >= PRIVATE;
}

function rank(address: string): number {
  if (/^fe[89ab]/i.test(address)) return NO_USE;
  if (address === '::1' || address.startsWith('127.')) return LOOPBACK;
  if (address.startsWith('169.254.')) return LINK_LOCAL;
  const isPrivate = /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|f[cd][\da-f]{2}:)/i;
  return isPrivate.test(address) ? PRIVATE : PUBLIC;
}
