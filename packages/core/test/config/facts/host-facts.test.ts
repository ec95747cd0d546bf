// The addresses and names of the host by the network knobs. The answers are those of
// HTCondor's condor_config_val in a network with these interfaces.
import { cpuLimit, nameInHosts, systemNames } from '../../../src/config/facts/host-facts.ts';
import { FACTS, memoryHost, readText } from '../read-text.ts';
import { describe, expect, test } from 'vitest';

const LO = ['lo 127.0.0.1', 'lo ::1'];
const BOTH = [
  'lo 127.0.0.1',
  'v0 198.51.100.7',
  'v0 10.1.1.1',
  'A1 192.0.2.7',
  'lo ::1',
  'v0 fd00::7',
  'v0 fe80::1',
  'A1 2001:db8::7',
];

/** IP_ADDRESS, IPV4_ADDRESS and IPV6_ADDRESS, and the warnings. */
function addresses(interfaces: string[], text: string): [string, string[]] {
  const list = interfaces.map((one) => {
    const [name = '', address = ''] = one.split(' ');
    return { name, address };
  });
  const config = readText(text, { facts: { ...FACTS, addresses: () => list } });
  const found = ['IP_ADDRESS', 'IPV4_ADDRESS', 'IPV6_ADDRESS'].map((name) => config.get(name));
  const isIpv6 = found[0]?.includes(':') === true;
  expect(config.get('IP_ADDRESS_IS_IPV6')).toBe(String(isIpv6));
  return [
    found.map((one) => one ?? '-').join(' '),
    config.warnings.map(({ message, file, line }) => `${file ?? ''}:${line ?? ''} ${message}`),
  ];
}

describe('without knobs, the best address of each family', () => {
  test.each([
    [
      'private IPv4, public IPv6',
      ['v0 10.1.1.1', 'v0 2001:db8::7'],
      '10.1.1.1 10.1.1.1 2001:db8::7',
    ],
    ['public IPv4, local IPv6', ['v0 192.0.2.7', 'v0 fd00::7'], '192.0.2.7 192.0.2.7 fd00::7'],
    ['both IPv6', ['v0 fd00::7', 'v0 2001:db8::7'], '2001:db8::7 - 2001:db8::7'],
    ['link-local IPv4, local IPv6', ['v0 169.254.1.1', 'v0 fd00::7'], 'fd00::7 - fd00::7'],
    ['link-local IPv4 only', ['v0 169.254.1.1'], '169.254.1.1 169.254.1.1 ::1'],
    ['shared before private', ['v0 10.1.1.1', 'v1 100.64.1.1'], '100.64.1.1 100.64.1.1 -'],
    [
      'all private ranges',
      ['v0 172.16.1.1', 'v0 192.168.0.1', 'v0 172.32.1.1'],
      '172.32.1.1 172.32.1.1 -',
    ],
    ['the first of equals', ['v0 198.51.100.7', 'v1 192.0.2.7'], '198.51.100.7 198.51.100.7 -'],
    ['site-local IPv6', ['v0 fc00::3', 'v1 fec0::1'], 'fec0::1 - fec0::1'],
    ['loopback only', [], '127.0.0.1 127.0.0.1 ::1'],
  ])('%s', (_title, interfaces, wanted) => {
    expect(addresses([...LO, ...interfaces], '')).toEqual([wanted, []]);
  });

  test('no interface at all is a warning', () => {
    expect(addresses([], '')).toEqual([
      '- - -',
      [': no address of this host matches NETWORK_INTERFACE = *'],
    ]);
  });
});

describe('NETWORK_INTERFACE chooses by name or address', () => {
  test.each([
    ['a1', '192.0.2.7 192.0.2.7 2001:db8::7'],
    ['V*', '198.51.100.7 198.51.100.7 fd00::7'],
    ['A*1', '192.0.2.7 192.0.2.7 2001:db8::7'],
    ['v0 A1', '198.51.100.7 198.51.100.7 2001:db8::7'],
    ['10.1.1.*', '10.1.1.1 10.1.1.1 -'],
    ['10.1.1.1', '10.1.1.1 10.1.1.1 -'],
    ['10.9.9.9', '10.9.9.9 10.9.9.9 -'],
    ['fd00::7', 'fd00::7 - fd00::7'],
    ['FD00:0::7', 'fd00::7 - fd00::7'],
    ['fd00:*', 'fd00::7 - fd00::7'],
    ['*.7', '198.51.100.7 198.51.100.7 -'],
    ['10.1.1.1 2001:db8::7', '10.1.1.1 10.1.1.1 2001:db8::7'],
    ['10.1.1.1, fd00::7', '10.1.1.1 10.1.1.1 fd00::7'],
    ['127.0.0.1', '127.0.0.1 127.0.0.1 -'],
    ['lo', '127.0.0.1 127.0.0.1 ::1'],
    ['$(X:v0)', '198.51.100.7 198.51.100.7 fd00::7'],
  ])('%s', (pattern, wanted) => {
    expect(addresses(BOTH, `NETWORK_INTERFACE = ${pattern}\n`)).toEqual([wanted, []]);
  });

  test.each(['nosuch', '10.9.*', '192.0.2.0/24', '"10.1.1.1"', '1.2.3.999', '', '[v0', ':::'])(
    '%s matches nothing: a warning with file and line',
    (pattern) => {
      expect(addresses(BOTH, `\nNETWORK_INTERFACE = ${pattern}\n`)).toEqual([
        '- - -',
        [`/c:2 no address of this host matches NETWORK_INTERFACE = ${pattern}`],
      ]);
    },
  );
});

describe('ENABLE_IPV4 and ENABLE_IPV6', () => {
  const v4 = '198.51.100.7 198.51.100.7';
  test.each([
    ['ENABLE_IPV4 = false', '2001:db8::7 - 2001:db8::7', []],
    ['ENABLE_IPV4 = $(X:false)', '2001:db8::7 - 2001:db8::7', []],
    ['ENABLE_IPV6 = False', `${v4} -`, []],
    ['ENABLE_IPV6 = 0', `${v4} -`, []],
    ['ENABLE_IPV4 = true\nENABLE_IPV6 = AUTO', `${v4} 2001:db8::7`, []],
    ['NETWORK_INTERFACE = v0\nENABLE_IPV4 = false', 'fd00::7 - fd00::7', []],
    [
      'ENABLE_IPV4 = false\nENABLE_IPV6 = false',
      '- - -',
      ['/c:2 ENABLE_IPV4 and ENABLE_IPV6 are both false: this host has no address'],
    ],
    [
      'ENABLE_IPV4 = junk',
      `${v4} 2001:db8::7`,
      ['/c:1 ENABLE_IPV4 = junk must be true, false or auto'],
    ],
    [
      'ENABLE_IPV6 = junk',
      `${v4} 2001:db8::7`,
      ['/c:1 ENABLE_IPV6 = junk must be true, false or auto'],
    ],
    [
      'NETWORK_INTERFACE = 10.1.1.1\nENABLE_IPV4 = false',
      '10.1.1.1 10.1.1.1 -',
      ['/c:2 ENABLE_IPV4 is false, but NETWORK_INTERFACE is such an address'],
    ],
    [
      'NETWORK_INTERFACE = 10.1.1.1\nENABLE_IPV6 = true',
      '10.1.1.1 10.1.1.1 -',
      ['/c:2 ENABLE_IPV6 is true, but NETWORK_INTERFACE matches no such address'],
    ],
  ])('%s', (text, wanted, warnings) => {
    expect(addresses(BOTH, `${text}\n`)).toEqual([wanted, warnings]);
  });

  test('true keeps an address that auto leaves out', () => {
    const list = [...LO, 'v0 10.1.1.1', 'v0 fe80::1'];
    expect([
      addresses(list, 'ENABLE_IPV6 = true\n')[0],
      addresses(list, 'ENABLE_IPV6 = true\nNETWORK_INTERFACE = v0\n')[0],
      addresses(list, 'NETWORK_INTERFACE = v0\n')[0],
    ]).toEqual(['10.1.1.1 10.1.1.1 ::1', '10.1.1.1 10.1.1.1 fe80::1', '10.1.1.1 10.1.1.1 -']);
  });
});

describe('the names of the host', () => {
  const names = (text: string, own = 'vm'): string => {
    const config = readText(text, { facts: { ...FACTS, fullHostname: () => own } });
    return ['FULL_HOSTNAME', 'HOSTNAME', 'UID_DOMAIN', 'FILESYSTEM_DOMAIN']
      .map((name) => config.get(name) ?? '-')
      .join(' ');
  };

  test.each([
    ['', 'vm', 'vm vm vm vm'],
    ['', 'vm.pool.test', 'vm.pool.test vm vm.pool.test vm.pool.test'],
    ['DEFAULT_DOMAIN_NAME = dom.org', 'vm', 'vm.dom.org vm vm.dom.org vm.dom.org'],
    ['DEFAULT_DOMAIN_NAME = .dom.org', 'vm', 'vm.dom.org vm vm.dom.org vm.dom.org'],
    ['DEFAULT_DOMAIN_NAME = dom.org', 'vm.a.b', 'vm.a.b vm vm.a.b vm.a.b'],
    ['NETWORK_HOSTNAME = a.b.c', 'vm', 'a.b.c a a.b.c a.b.c'],
    ['NETWORK_HOSTNAME = short', 'vm', 'short short short short'],
    [
      'NETWORK_HOSTNAME = short\nDEFAULT_DOMAIN_NAME = dom.org',
      'vm',
      'short.dom.org short short.dom.org short.dom.org',
    ],
    ['NETWORK_HOSTNAME = $(X:y.z)', 'vm', 'y.z y y.z y.z'],
    [
      'UID_DOMAIN = $(HOSTNAME).x\nFULL_HOSTNAME = me.set\nHOSTNAME = me',
      'vm.pool.test',
      'vm.pool.test vm vm.x vm.pool.test',
    ],
    [
      'NO_DNS = true\nDEFAULT_DOMAIN_NAME = dom.org',
      'vm',
      '192-0-2-2.dom.org 192-0-2-2 192-0-2-2.dom.org 192-0-2-2.dom.org',
    ],
    [
      'NO_DNS = true\nDEFAULT_DOMAIN_NAME = dom.org\nNETWORK_INTERFACE = fd00::2',
      'vm',
      'fd00--2.dom.org fd00--2 fd00--2.dom.org fd00--2.dom.org',
    ],
    ['NO_DNS = true', 'vm', '- - - -'],
    ['NO_DNS = true\nNETWORK_HOSTNAME = my', 'vm', 'my my my my'],
  ])('%s, own name %s', (text, own, wanted) => {
    expect(names(`${text}\n`, own)).toBe(wanted);
  });

  test.each([
    ['127.0.0.1 localhost\n192.0.2.2 vm.pool.test vm\n', 'vm.pool.test'],
    ['192.0.2.3 a.b #vm\n192.0.2.2 vm.pool.test\tVM # c\n', 'vm.pool.test'],
    ['127.0.1.1 vm vm.alias.org\n', 'vm'],
    ['127.0.1.1 other.org vm\n', 'other.org'],
    ['127.0.0.1 localhost.localdomain localhost vm\n', 'localhost.localdomain'],
    ['127.0.0.1 localhost\n\n', undefined],
  ])('the canonical name in %j is %s', (hosts, name) => {
    expect(nameInHosts('vm', hosts)).toBe(name);
  });
});

test('files of local directories see the names, and the root file does not', () => {
  const host = memoryHost({
    '/c': 'LOCAL_CONFIG_DIR = /d\nif defined HOSTNAME\nROOT = 1\nendif\n',
    '/d/x': 'if defined HOSTNAME\nLOCAL = $(HOSTNAME)\nendif\n',
  });
  const config = readText('', { host });
  expect([config.get('ROOT'), config.get('LOCAL')]).toEqual([undefined, 'ap']);
});

/** OPSYSANDVER, OPSYSVER, OPSYSMAJORVER, OPSYSNAME and OPSYSLONGNAME. */
function answer(releases: string[], osRelease?: string): (string | undefined)[] {
  const names = systemNames(releases, () => osRelease);
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
  expect(cpuLimit(() => '4', env)).toBe(limit);
});

test.each([false, true])(
  'NO_DNS without a domain in a local file keeps the names of before it (looked up there: %s)',
  (isUsed) => {
    const use = isUsed ? 'if defined HOSTNAME\nendif\n' : '';
    const host = memoryHost({ '/c': 'LOCAL_CONFIG_FILE = /l\n', '/l': `${use}NO_DNS = true\n` });
    const config = readText('', { host });
    const names = ['HOSTNAME', 'FULL_HOSTNAME'].map((name) => config.get(name));
    expect(names).toEqual(['ap', 'ap.example.test']);
  },
);
