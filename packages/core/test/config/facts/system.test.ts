// The names of the operating system. The answers are those of HTCondor's condor_config_val
// on systems with these files.
import { describe, expect, test } from 'vitest';
import { cpuLimit, systemNames } from '../../../src/config/facts/system.ts';

/** OPSYSANDVER, OPSYSVER, OPSYSMAJORVER, OPSYSNAME and OPSYSLONGNAME. */
function answer(releases: string[], osRelease?: string): (string | undefined)[] {
  const names = systemNames(releases, osRelease);
  expect([names['OPSYSSHORTNAME'], names['OPSYSLEGACY']]).toEqual([names['OPSYSNAME'], 'LINUX']);
  return ['OPSYSANDVER', 'OPSYSVER', 'OPSYSMAJORVER', 'OPSYSNAME', 'OPSYSLONGNAME'].map(
    (name) => names[name],
  );
}

const UNNAMED = '\\S\nKernel \\r on an \\m\n';

describe('the first line that names a known distribution decides', () => {
  test.each([
    ['Debian GNU/Linux 12 \\n \\l\n', 'Debian12 1200 12 Debian', 'Debian GNU/Linux 12'],
    ['Debian GNU/Linux 12 \\l \\n \\l  \t\n', 'Debian12 1200 12 Debian', 'Debian GNU/Linux 12'],
    ['Debian GNU/Linux 12 \\s\n', 'Debian12 1200 12 Debian', 'Debian GNU/Linux 12 \\s'],
    ['  Debian GNU/Linux 12.345\n', 'Debian12 1234 12 Debian', '  Debian GNU/Linux 12.345'],
    ['Ubuntu 24.04.1 LTS \\n \\l\n', 'Ubuntu24 2404 24 Ubuntu', 'Ubuntu 24.04.1 LTS'],
    ['Rocky Linux release 9.4\n', 'Rocky9 904 9 Rocky', 'Rocky Linux release 9.4'],
    ['AlmaLinux release 9.4 (S)\n', 'AlmaLinux9 904 9 AlmaLinux', 'AlmaLinux release 9.4 (S)'],
    ['AlmaLinux 8.10\n', 'AlmaLinux8 810 8 AlmaLinux', 'AlmaLinux 8.10'],
    ['CentOS Stream release 9\n', 'CentOS9 900 9 CentOS', 'CentOS Stream release 9'],
    ['CentOS release 7.9.2009\n', 'CentOS7 709 7 CentOS', 'CentOS release 7.9.2009'],
    ['Fedora release 40 (Forty)\n', 'Fedora40 4000 40 Fedora', 'Fedora release 40 (Forty)'],
    ['Scientific Linux CERN SLC 6.10', 'SLCern6 610 6 SLCern', 'Scientific Linux CERN SLC 6.10'],
    ['Scientific Linux SLF 6.7\n', 'SLFermi6 607 6 SLFermi', 'Scientific Linux SLF 6.7'],
    ['Scientific Linux 7.9\n', 'SL7 709 7 SL', 'Scientific Linux 7.9'],
    [
      'Red Hat Enterprise Linux release 9.4 (Plow)\n',
      'RedHat9 904 9 RedHat',
      'Red Hat Enterprise Linux release 9.4 (Plow)',
    ],
    [
      'Amazon Linux release 2023.5.2024 (Amazon Linux)\n',
      'AmazonLinux2023 202305 2023 AmazonLinux',
      'Amazon Linux release 2023.5.2024 (Amazon Linux)',
    ],
  ])('%s', (line, names, longName) => {
    expect(answer([UNNAMED, line, 'Debian 1\n'])).toEqual([...names.split(' '), longName]);
  });

  test('a name without a version has no OPSYSVER and OPSYSMAJORVER', () => {
    expect(answer(['Debian GNU/Linux trixie/sid \\n \\l\n'])).toEqual([
      'Debian0',
      '',
      '',
      'Debian',
      'Debian GNU/Linux trixie/sid',
    ]);
  });

  test('only the first 199 characters of the line count', () => {
    expect(answer([`Debian ${'x'.repeat(250)} 7\n`])[0]).toBe('Debian0');
  });
});

describe('without such a line, PRETTY_NAME of os-release decides', () => {
  test.each([
    ['PRETTY_NAME="openSUSE Leap 15.6"\n', 'openSUSE15 1506 15 openSUSE', 'openSUSE Leap 15.6'],
    [
      'NAME="SLES"\nPRETTY_NAME="SUSE Linux Enterprise Server 15 SP6"\n',
      'SUSE15 1500 15 SUSE',
      'SUSE Linux Enterprise Server 15 SP6',
    ],
    ['PRETTY_NAME="AlmaLinux 9.4 (S)"\n', 'AlmaLinux9 904 9 AlmaLinux', 'AlmaLinux 9.4 (S)'],
    ['# c\n PRETTY_NAME = "Debian 12"\n', 'Debian12 1200 12 Debian', 'Debian 12'],
    ['PRETTY_NAME="First 1"\nPRETTY_NAME="Debian 2"\n', 'LINUX1 100 1 LINUX', 'First 1'],
    ['PRETTY_NAME="Debian 2" x', 'Debian2 200 2 Debian', 'Debian 2'],
  ])('%s', (text, names, longName) => {
    expect(answer([UNNAMED, ''], text)).toEqual([...names.split(' '), longName]);
  });

  test.each([
    ['in other quotes', "PRETTY_NAME='Rocky Linux 9.4'\n"],
    ['without quotes', 'PRETTY_NAME=Alpine\n'],
    ['missing', undefined],
  ])('%s it is unknown', (_title, text) => {
    expect(answer(['Welcome\n'], text)).toEqual(['LINUX0', '', '', 'LINUX', 'Unknown']);
  });
});

test.each([
  [{}, ''],
  [{ OMP_THREAD_LIMIT: '3' }, '3'],
  [{ OMP_THREAD_LIMIT: '3', SLURM_CPUS_ON_NODE: '2' }, '2'],
  [{ OMP_THREAD_LIMIT: '4' }, ''],
  [{ SLURM_CPUS_ON_NODE: '9' }, ''],
  [{ OMP_THREAD_LIMIT: 'x' }, ''],
  [{ OMP_THREAD_LIMIT: '0' }, ''],
])('the limit of 4 CPUs with %j is %s', (env, limit) => {
  expect(cpuLimit(4, env)).toBe(limit);
});
