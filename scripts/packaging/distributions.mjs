// What differs between Debian and Red Hat: where things are, and the paths in configs/, which
// are written for Red Hat.
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { pathsBelow } from './layout.mjs';

const DEBIAN_PATHS = [
  ['/etc/pki/tls/certs/ap.example.org.crt', '/etc/ssl/certs/ap.example.org.pem'],
  ['/etc/pki/tls/private/ap.example.org.key', '/etc/ssl/private/ap.example.org.key'],
  ['/var/log/httpd', '/var/log/apache2'],
  [
    '/etc/httpd/conf.d/ (Debian: /etc/apache2/sites-available/, then a2ensite)',
    '/etc/apache2/sites-available/',
  ],
  [
    '# before this file is read. Modules: ssl, headers, setenvif, proxy, proxy_http.',
    '# before this file is read. Then: a2enmod ssl headers setenvif proxy proxy_http && a2ensite condor_credmon_web',
  ],
  ['/etc/httpd/', '/etc/apache2/'],
  ['Copy to /etc/nginx/conf.d/ and', 'Copy to /etc/nginx/sites-enabled/ and'],
  [
    '# The group that the proxy runs as: nginx or apache; on Debian www-data (systemctl edit condor_credmon_webserver.socket).',
    '# The group that the proxy runs as (systemctl edit condor_credmon_webserver.socket).',
  ],
  ['SocketGroup=nginx', 'SocketGroup=www-data'],
];

/** Adapts a file of configs/ to Debian. */
export function forDebian(text) {
  return DEBIAN_PATHS.reduce((sofar, [from, to]) => sofar.replaceAll(from, to), text);
}

/** True on Debian and what is made from it. */
export const isDebian = existsSync('/etc/debian_version');

/**
 * The paths of a package of the distribution. Debian diverts HTCondor's programs, so that ours
 * have their paths; elsewhere ours have a folder of their own, and alternatives lead to it.
 */
export function packagePaths(distribution) {
  const paths = { ...pathsBelow('/usr'), adapt: (text) => text };
  if (distribution === 'rpm') {
    const own = '/usr/lib/credmon/bin';
    const names = REPLACED.map(({ path }) => [basename(path), own]);
    return { ...paths, named: Object.fromEntries(names) };
  }
  return {
    ...paths,
    named: { condor_credmon_oauth: '/usr/sbin' },
    adapt: forDebian,
    zsh: '/usr/share/zsh/vendor-completions',
    fish: '/usr/share/fish/vendor_completions.d',
  };
}

/**
 * HTCondor's own programs of the same names: where they are, and what replaces them. Which of
 * the two storers exists depends on HTCondor's version.
 */
export const REPLACED = [
  { path: '/usr/sbin/condor_credmon_oauth', program: 'condor_credmon.cjs' },
  { path: '/usr/bin/condor_credential_storer', program: 'condor_credential_storer.js' },
  { path: '/usr/bin/condor_vault_storer', program: 'condor_credential_storer.js' },
];

/** The example configuration with every setting commented out: installing it changes nothing. */
export function commentedOut(text) {
  const lines = text.split('\n').map((line) => (/^(?:#|\s*$)/.test(line) ? line : `#${line}`));
  const head =
    '# Installed by credmon. Remove the # in front of the settings that you need, then: condor_credmon check\n#\n';
  return `${head}${lines.join('\n')}`.replace(': copy to /etc/condor/config.d/.', '.');
}

export const SYSUSERS =
  '# HTCondor\'s user; on an Access Point, HTCondor has created it.\nu condor - "HTCondor" /var/lib/condor\n';

export const TMPFILES = `# The portal's sessions, and what users may see of their own tokens.
d /var/lib/condor 0755 condor condor
d /var/lib/condor/credmon_web_sessions 0700 condor condor
d /var/lib/condor_credmon 0755 root root
`;

/** Shell: creates the user and the directories, also where systemd is not installed. */
export const CREATE = `if command -v systemd-sysusers > /dev/null; then
    systemd-sysusers credmon.conf
elif ! getent passwd condor > /dev/null; then
    useradd --system --user-group --home-dir /var/lib/condor --shell /usr/sbin/nologin condor
fi
if command -v systemd-tmpfiles > /dev/null; then
    systemd-tmpfiles --create credmon.conf || true
else
    [ -d /var/lib/condor ] || install -d -o condor -g condor -m 0755 /var/lib/condor
    # HTCondor's user may have made a link there, and install -d would follow it.
    [ -d /var/lib/condor/credmon_web_sessions ] ||
        install -d -o condor -g condor -m 0700 /var/lib/condor/credmon_web_sessions
    install -d -m 0755 /var/lib/condor_credmon
fi
`;
