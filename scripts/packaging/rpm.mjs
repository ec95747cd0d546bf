// Builds the RPM with rpmbuild, from files that are staged already.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { CREATE, REPLACED } from './distributions.mjs';
import { sourceDate, versionOf } from './layout.mjs';
import { byText } from './modules.mjs';
import { CONFIGURATION, payload, run, stage } from './payload.mjs';

/** Greater than any priority that HTCondor's packages use. */
const PRIORITY = 100;

/** A path that HTCondor's package owns as a file stays HTCondor's. */
const POST = `${CREATE}${REPLACED.map(({ path }) => {
  const name = basename(path);
  return `if [ -e ${path} ] && [ ! -L ${path} ]; then
    echo "credmon: ${path} is HTCondor's; credmon's program is /usr/lib/credmon/bin/${name}" >&2
else
    update-alternatives --install ${path} ${name} /usr/lib/credmon/bin/${name} ${PRIORITY} || :
fi`;
}).join('\n')}
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
fi
exit 0`;

const PREUN = `rm -rf /usr/lib/credmon/cache
if [ "$1" = 0 ]; then
${REPLACED.map(({ path }) => `    update-alternatives --remove ${basename(path)} /usr/lib/credmon/bin/${basename(path)} || :`).join('\n')}
    if [ -d /run/systemd/system ]; then
        systemctl stop condor_credmon.service condor_credmon_webserver.socket condor_credmon_webserver.service || :
    fi
fi
exit 0`;

const POSTUN = `if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
    if [ "$1" = 1 ]; then
        systemctl try-restart condor_credmon.service condor_credmon_webserver.service || :
    fi
fi
exit 0`;

function spec(version, files, staged) {
  const list = files.map(({ path }) =>
    path === CONFIGURATION ? `%config(noreplace) ${path}` : path,
  );
  return `Name: credmon
Version: ${version}
Release: 1
Summary: OAuth 2.0 and SciToken credentials for HTCondor that never run out
License: Apache-2.0
BuildArch: noarch
AutoReqProv: no
Requires: nodejs >= 20.19, util-linux, shadow-utils
Requires(post): chkconfig
Requires(preun): chkconfig
Recommends: condor >= 23.9

%description
condor_credmon renews the access tokens in the credential directory of
HTCondor's CredD before they expire. condor_credmon_webserver is the web portal
where users sign in to token providers once. The package also contains the
SciTokens tools.

%install
cp -a ${staged}/. %{buildroot}/

%post
${POST}

%preun
${PREUN}

%postun
${POSTUN}

%files
%defattr(-,root,root,-)
${foldersOf(files)
  .map((folder) => `%dir ${folder}\n`)
  .join('')}${list.join('\n')}
`;
}

/** The folders that only this package has: it removes them, too. */
function foldersOf(files) {
  const found = new Set();
  for (const { path } of files)
    for (let folder = dirname(path); /\/credmon(?:\/|$)/.test(folder); folder = dirname(folder))
      found.add(folder);
  return [...found].sort(byText);
}

/** Builds the package into `output`; returns its path. */
export async function buildRpm(root, output) {
  const epoch = sourceDate(root);
  const version = versionOf(root);
  const work = mkdtempSync(join(tmpdir(), 'credmon-rpm-'));
  try {
    const files = await payload(root, 'rpm');
    const staged = join(work, 'staged');
    mkdirSync(staged);
    stage(files, staged, epoch);
    writeFileSync(join(work, 'credmon.spec'), spec(version, files, staged));
    const defines = {
      _topdir: work,
      _buildhost: 'localhost',
      use_source_date_epoch_as_buildtime: '1',
      clamp_mtime_to_source_date_epoch: '1',
      // One thread: the bytes do not depend on the number of processors.
      _binary_payload: 'w6.xzdio',
      // The files are final: nothing strips or compresses them.
      __os_install_post: '%{nil}',
      _build_id_links: 'none',
    };
    const options = Object.entries(defines).flatMap(([name, value]) => ['-D', `${name} ${value}`]);
    run('rpmbuild', ['-bb', '--quiet', ...options, join(work, 'credmon.spec')], {
      SOURCE_DATE_EPOCH: String(epoch),
    });
    const folder = join(work, 'RPMS/noarch');
    const [file] = readdirSync(folder);
    mkdirSync(output, { recursive: true });
    run('cp', [join(folder, file), join(output, file)]);
    return join(output, file);
  } finally {
    rmSync(work, { recursive: true });
  }
}
