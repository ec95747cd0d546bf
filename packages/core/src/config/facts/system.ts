// The names and version of the operating system, as HTCondor derives them from the files
// of a distribution.

import { trimEnd } from '../macros/text.ts';

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
 * the {@link RELEASE_FILES} that exist, in order. The first one whose first line names a
 * known distribution decides, else PRETTY_NAME in `osRelease`, the contents of
 * /etc/os-release. The version is major * 100 + minor; without one, OPSYSVER and
 * OPSYSMAJORVER are empty.
 * @see https://htcondor.readthedocs.io/en/latest/classad-attributes/machine-classad-attributes.html
 */
export function systemNames(
  releases: readonly string[],
  osRelease: string | undefined,
): Record<string, string> {
  const longName =
    releases.map(firstLine).find((line) => distributionOf(line) !== OTHER) ??
    /PRETTY_NAME[^\n"]*"([^"\n]*)/.exec(osRelease ?? '')?.[1] ??
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
export function cpuLimit(cpus: number, env: Readonly<Record<string, string | undefined>>): string {
  const [least] = [env['OMP_THREAD_LIMIT'], env['SLURM_CPUS_ON_NODE']]
    .map(Number)
    .filter((limit) => Number.isInteger(limit) && limit > 0 && limit < cpus)
    .sort((a, b) => a - b);
  return least === undefined ? '' : String(least);
}
