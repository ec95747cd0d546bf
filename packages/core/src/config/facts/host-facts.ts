// Facts of the host as HTCondor derives them: addresses and names in the network, and the
// names and version of the operating system from the files of a distribution.
import type { EvaluateExpression } from '../macros/conditions.ts';
import { splitList, trim, trimEnd } from '../macros/text.ts';
import { parseBoolean } from '../macros/values.ts';

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

/** Returns the expanded value of a knob; empty if it is not set. */
type ReadKnob = (name: string) => string;

/** The parts of the host's facts that names come from. */
interface NameFacts {
  readonly fullHostname: () => string;
  readonly addresses: () => readonly HostAddress[];
}

/**
 * Returns IP_ADDRESS and similar knobs, as NETWORK_INTERFACE, ENABLE_IPV4 and ENABLE_IPV6
 * say. A knob without an address is empty. `report` gets the mistakes in these three
 * knobs. With `*` and `auto`, the only problem can be a machine without addresses.
 * Reading the addresses takes time, so they are read, and the problem reported, at the
 * first look-up.
 */
export function addressKnobs(
  knob: ReadKnob,
  addresses: () => readonly HostAddress[],
  evaluate: EvaluateExpression,
  report: (problem: NetworkProblem) => void = () => undefined,
): AddressKnobs {
  const [text4, text6] = [knob('ENABLE_IPV4'), knob('ENABLE_IPV6')];
  const setting = (text: string): FamilySetting | undefined =>
    isAuto(text) ? 'auto' : parseBoolean(text, evaluate);
  const [enable4, enable6] = [setting(text4), setting(text6)];
  const pattern = knob('NETWORK_INTERFACE');
  let chosen: ChosenAddresses | undefined;
  const choose = (): ChosenAddresses => {
    if (chosen) return chosen;
    const families = { ipv4: enable4 ?? 'auto', ipv6: enable6 ?? 'auto' };
    chosen = chooseAddresses(addresses(), pattern, families);
    const problem =
      (enable4 === undefined ? invalid('ENABLE_IPV4', text4) : undefined) ??
      (enable6 === undefined ? invalid('ENABLE_IPV6', text6) : chosen.problem);
    if (problem) report(problem);
    return chosen;
  };
  if (trim(pattern) !== '*' || enable4 !== 'auto' || enable6 !== 'auto') choose();
  return {
    IP_ADDRESS: () => choose().ipv4 ?? choose().ipv6 ?? '',
    IP_ADDRESS_IS_IPV6: () => String(choose().ipv4 === undefined && choose().ipv6 !== undefined),
    IPV4_ADDRESS: () => choose().ipv4 ?? '',
    IPV6_ADDRESS: () => choose().ipv6 ?? '',
  };
}

const isAuto = (text: string): boolean => /^(?:auto)?$/i.test(trim(text));

/** Functions that return the values of knobs. */
type AddressKnobs = Readonly<
  Record<'IP_ADDRESS' | 'IP_ADDRESS_IS_IPV6' | 'IPV4_ADDRESS' | 'IPV6_ADDRESS', () => string>
>;

function invalid(name: 'ENABLE_IPV4' | 'ENABLE_IPV6', text: string): NetworkProblem {
  return { knob: name, message: `${name} = ${text} must be true, false or auto` };
}

/**
 * Returns what gives FULL_HOSTNAME and HOSTNAME: NETWORK_HOSTNAME or the machine's own name, with
 * DEFAULT_DOMAIN_NAME if it has no domain. With NO_DNS the own name is made of the
 * address, such as `192-0-2-2`, and empty without a domain.
 */
export function hostNames(
  knob: ReadKnob,
  facts: NameFacts,
  evaluate: EvaluateExpression,
): Record<'FULL_HOSTNAME' | 'HOSTNAME', () => string> {
  const domain = trim(knob('DEFAULT_DOMAIN_NAME')).replace(/^\./, '');
  const forced = trim(knob('NETWORK_HOSTNAME'));
  const isWithoutDns = forced === '' && parseBoolean(knob('NO_DNS'), evaluate) === true;
  const name = isWithoutDns ? nameOfAddress(knob, facts, evaluate, domain) : forced;
  const full = (): string => {
    const own = name === '' && !isWithoutDns ? facts.fullHostname() : name;
    return own === '' || own.includes('.') || domain === '' ? own : `${own}.${domain}`;
  };
  return { FULL_HOSTNAME: full, HOSTNAME: () => full().split('.', 1)[0] ?? '' };
}

function nameOfAddress(
  knob: ReadKnob,
  facts: NameFacts,
  evaluate: EvaluateExpression,
  domain: string,
): string {
  if (domain === '') return '';
  return addressKnobs(knob, facts.addresses, evaluate).IP_ADDRESS().replace(/[.:]/g, '-');
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

/** The files that name a Linux distribution, in the order in which HTCondor reads them. */
export const RELEASE_FILES = [
  '/etc/issue',
  '/etc/redhat-release',
  '/etc/system-release',
  '/etc/issue.net',
] as const;

/** The words that occur in the line of a distribution, and HTCondor's name for it. */
const DISTRIBUTIONS: readonly (readonly [readonly string[], string])[] = [
  [['red', 'hat'], 'RedHat'],
  [['fedora'], 'Fedora'],
  [['ubuntu'], 'Ubuntu'],
  [['debian'], 'Debian'],
  [['scientific', 'cern'], 'SLCern'],
  [['scientific', 'slf'], 'SLFermi'],
  [['scientific'], 'SL'],
  [['centos'], 'CentOS'],
  [['rocky'], 'Rocky'],
  [['almalinux'], 'AlmaLinux'],
  [['amazon linux'], 'AmazonLinux'],
  [['opensuse'], 'openSUSE'],
  [['suse'], 'SUSE'],
];

const OTHER = 'LINUX';
const UNKNOWN = 'Unknown';

/** Longest line of a file that HTCondor reads, in characters. */
const LINE_LENGTH = 199;

/**
 * Returns OPSYSNAME, OPSYSVER and the others for Linux. `releases` are the contents of
 * the {@link RELEASE_FILES} that exist, in order. The distribution is that of the first
 * file whose first line names a known one, otherwise PRETTY_NAME in the contents of
 * /etc/os-release, which `osRelease` returns. The version is major * 100 + minor; without
 * one, OPSYSVER and OPSYSMAJORVER are empty.
 * @see https://htcondor.readthedocs.io/en/latest/classad-attributes/machine-classad-attributes.html
 */
export function systemNames(
  releases: Iterable<string>,
  osRelease: () => string | undefined,
): Record<string, string> {
  const longName =
    distributionIn(releases) ??
    /PRETTY_NAME[^\n"]*"([^"\n]*)/.exec(osRelease() ?? '')?.[1] ??
    UNKNOWN;
  const name = distributionOf(longName);
  const [, major = '0', minor = '0'] = /(\d+)(?:\.(\d{1,2}))?/.exec(longName) ?? [];
  const version = Number(major) * 100 + Number(minor);
  const ifAny = (number: number): string => (number > 0 ? String(number) : '');
  return {
    OPSYSNAME: name,
    OPSYSSHORTNAME: name,
    OPSYSLONGNAME: longName,
    OPSYSANDVER: `${name}${Number(major)}`,
    OPSYSMAJORVER: ifAny(Number(major)),
    OPSYSVER: ifAny(version),
    OPSYSLEGACY: OTHER,
  };
}

/**
 * Returns the first line of the first file whose first line names a known distribution.
 */
function distributionIn(releases: Iterable<string>): string | undefined {
  for (const text of releases) {
    const line = firstLine(text);
    if (distributionOf(line) !== OTHER) return line;
  }
  return undefined;
}

/** Returns the first line without blanks and getty's `\n` and `\l` at its end. */
function firstLine(text: string): string {
  let line = trimEnd((text.split('\n', 1)[0] ?? '').slice(0, LINE_LENGTH));
  while (line.length > 2 && /\\[nl]$/.test(line)) line = trimEnd(line.slice(0, -2));
  return line;
}

function distributionOf(line: string): string {
  const lower = line.toLowerCase();
  return DISTRIBUTIONS.find(([words]) => words.every((word) => lower.includes(word)))?.[1] ?? OTHER;
}

/**
 * Returns DETECTED_CPUS_LIMIT: the lowest positive number in OMP_THREAD_LIMIT and
 * SLURM_CPUS_ON_NODE, if it is below `cpus`; otherwise it is empty, so that the default
 * remains, `$(DETECTED_CPUS)`.
 */
export function cpuLimit(
  cpus: () => string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const [least] = [env['OMP_THREAD_LIMIT'], env['SLURM_CPUS_ON_NODE']]
    .map(Number)
    .filter((limit) => Number.isInteger(limit) && limit > 0 && limit < Number(cpus()))
    .sort((a, b) => a - b);
  return least === undefined ? '' : String(least);
}
