// Builds the Debian package with dpkg-deb alone.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CREATE, REPLACED } from './distributions.mjs';
import { sourceDate, versionOf } from './layout.mjs';
import { CONFIGURATION, compressed, payload, run, stage } from './payload.mjs';

const MAINTAINER = 'credmon developers <credmon@users.noreply.github.com>';

/** What dpkg-divert moves aside: HTCondor's programs, and manual pages of these names. */
const DIVERTED = [
  ...REPLACED.map(({ path }) => path),
  ...['condor_credmon_oauth', 'condor_credential_storer', 'condor_vault_storer'].map(
    (name) => `/usr/share/man/man1/${name}.1.gz`,
  ),
];

const SUFFIX = '.htcondor';

/**
 * Findings of lintian that are right and stay: the reason of each is in docs/decisions.md.
 */
const OVERRIDES = ['initial-upload-closes-no-bugs *', 'maintainer-script-calls-systemctl *'];

function control(version, size) {
  return `Package: credmon
Version: ${version}
Section: net
Priority: optional
Architecture: all
Maintainer: ${MAINTAINER}
Installed-Size: ${size}
Depends: nodejs (>= 20.19), passwd
Recommends: ca-certificates, htcondor (>= 23.9) | condor (>= 23.9)
Suggests: nginx | apache2, redis-server | valkey-server
Description: OAuth 2.0 and SciToken credentials for HTCondor that never run out
 condor_credmon renews the access tokens in the credential directory of
 HTCondor's CredD before they expire. condor_credmon_webserver is the web
 portal where users sign in to token providers once.
 .
 The package replaces HTCondor's own condor_credmon_oauth,
 condor_credential_storer and condor_vault_storer by diversions. It also
 contains the SciTokens tools.
`;
}

const PREINST = `#!/bin/sh
set -e
if [ "$1" = install ] || [ "$1" = upgrade ]; then
    for path in ${DIVERTED.join(' ')}; do
        dpkg-divert --package credmon --quiet --add --rename --divert "$path${SUFFIX}" "$path"
    done
fi
`;

const indented = (script) => script.replaceAll(/^(?=.)/gm, '    ');

const POSTINST = `#!/bin/sh
set -e
if [ "$1" = configure ]; then
${indented(CREATE)}    # V8's compiled code of the commands that are used most.
    for words in --version "status --help" "usable root x" "config get LOG"; do
        condor_credmon $words > /dev/null 2>&1 || true
    done
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        if [ -n "$2" ]; then
            systemctl try-restart condor_credmon.service condor_credmon_webserver.service || true
        fi
    fi
fi
`;

const PRERM = `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    systemctl stop condor_credmon.service condor_credmon_webserver.socket \\
        condor_credmon_webserver.service || true
fi
rm -rf /usr/lib/credmon/cache
`;

const POSTRM = `#!/bin/sh
set -e
if [ "$1" = remove ] || [ "$1" = abort-install ]; then
    for path in ${DIVERTED.join(' ')}; do
        dpkg-divert --package credmon --quiet --remove --rename --divert "$path${SUFFIX}" "$path"
    done
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
    fi
fi
if [ "$1" = purge ]; then
    # The credential directory stays: the tokens belong to CredD and its users.
    rm -rf /var/lib/condor/credmon_web_sessions /var/lib/condor_credmon
fi
`;

function copyright() {
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: credmon

Files: *
Copyright: 2026 the credmon developers
License: Apache-2.0
 On Debian systems, the text of the licence is in
 /usr/share/common-licenses/Apache-2.0.
Comment:
 The programs contain other packages. Their licences are in
 /usr/share/doc/credmon/THIRD-PARTY-LICENSES.
`;
}

function changelog(version, epoch) {
  const date = new Date(epoch * 1000).toUTCString().replace('GMT', '+0000');
  return `credmon (${version}) stable; urgency=medium

  * See /usr/share/doc/credmon/CHANGELOG.md.

 -- ${MAINTAINER}  ${date}
`;
}

/** Builds the package into `output`; returns its path. */
export async function buildDeb(root, output) {
  const epoch = sourceDate(root);
  const version = `${versionOf(root)}-1`;
  const doc = '/usr/share/doc/credmon';
  const text = (path, content, mode = 0o644) => ({ path, content, mode });
  const upstream = readFileSync(join(root, 'CHANGELOG.md'));
  const files = [
    ...(await payload(root, 'deb')),
    text(`${doc}/copyright`, copyright()),
    text(`${doc}/changelog.gz`, compressed(upstream)),
    text(`${doc}/changelog.Debian.gz`, compressed(changelog(version, epoch))),
    text(
      '/usr/share/lintian/overrides/credmon',
      OVERRIDES.map((tag) => `credmon: ${tag}\n`).join(''),
    ),
  ];
  const bytes = files.reduce((sum, { content = '' }) => sum + Buffer.byteLength(content), 0);
  const sums = files
    .filter(({ target, path }) => !target && path !== CONFIGURATION)
    .map(({ path, content }) => `${md5(content)}  ${path.slice(1)}\n`);
  const scripts = { preinst: PREINST, postinst: POSTINST, prerm: PRERM, postrm: POSTRM };
  const work = mkdtempSync(join(tmpdir(), 'credmon-deb-'));
  try {
    const all = [
      ...files,
      text('/DEBIAN/control', control(version, Math.ceil(bytes / 1024))),
      text('/DEBIAN/conffiles', `${CONFIGURATION}\n`),
      text('/DEBIAN/md5sums', sums.join('')),
      ...Object.entries(scripts).map(([name, script]) => text(`/DEBIAN/${name}`, script, 0o755)),
    ];
    stage(all, work, epoch);
    mkdirSync(output, { recursive: true });
    const path = join(output, `credmon_${version}_all.deb`);
    run('dpkg-deb', ['--root-owner-group', '-Zxz', '--threads-max=1', '--build', work, path], {
      SOURCE_DATE_EPOCH: String(epoch),
    });
    return path;
  } finally {
    rmSync(work, { recursive: true });
  }
}

function md5(content) {
  return createHash('md5').update(content).digest('hex');
}
