// Which users could replace the configured credential directory, from the results of
// lstat.
import { expect, it } from 'vitest';
import type { PathStep } from '../../src/base/files/safe-directory.ts';
import { weaknessOf, type Trust } from '../../src/store/directory-trust.ts';

const [ROOT, CONDOR, ALICE] = [0, 64, 1001];
const trust: Trust = {
  user: (uid) => uid === ROOT || uid === CONDOR,
  group: (gid) => gid === ROOT || gid === CONDOR,
};

/** `path uid:gid mode`, with `->` for a link. */
function stepOf(text: string): PathStep {
  const [path = '', owner = '', mode = '', link] = text.split(' ');
  const [uid = 0, gid = 0] = owner.split(':').map(Number);
  return {
    path,
    uid,
    gid,
    mode: Number.parseInt(mode, 8),
    kind: link === '->' ? 'link' : 'directory',
  };
}

const judged = (way: readonly string[], directory?: string): string => {
  const weakness = weaknessOf(
    way.map(stepOf),
    directory === undefined ? undefined : stepOf(directory),
    trust,
  );
  return weakness ? `${weakness.why} ${weakness.step.path}` : 'trusted';
};

it.each<[string[], string | undefined, string, string]>([
  [['/ 0:0 755'], '/creds 0:64 2770', 'trusted', 'the packages: root:condor 2770'],
  [
    ['/ 0:0 755', '/var 0:0 755', '/var/lib/condor 64:64 755'],
    '/var/lib/condor/c 0:64 2770',
    'trusted',
    'below the home of condor',
  ],
  [['/ 0:0 755'], '/c 64:64 700', 'trusted', 'of condor alone'],
  [['/ 0:0 755', '/tmp 0:0 1777'], '/tmp/c 0:0 700', 'trusted', 'below a sticky directory of root'],
  [
    ['/ 0:0 755', '/opt 0:0 1775'],
    '/opt/c 0:0 700',
    'trusted',
    'below a directory with sticky group',
  ],
  [
    ['/ 0:0 755', '/srv 64:64 2775'],
    '/srv/c 64:64 2770',
    'trusted',
    'below a directory that the group condor may write',
  ],
  [
    ['/ 0:0 755', '/l 0:0 777 ->', '/srv 0:0 755'],
    '/srv/c 0:0 700',
    'trusted',
    'behind a link of root',
  ],
  [
    ['/ 0:0 755', '/srv 64:64 755', '/srv/l 64:64 777 ->'],
    '/data/c 0:0 700',
    'trusted',
    'behind a link of condor',
  ],
  [['/ 0:0 755'], undefined, 'trusted', 'that is not there yet'],
  [['/ 0:0 755'], `/c ${ALICE}:64 2770`, 'owner /c', 'of a user'],
  [
    ['/ 0:0 755', `/home/alice ${ALICE}:1001 755`],
    '/home/alice/c 0:64 2770',
    'owner /home/alice',
    'below a directory of a user',
  ],
  [
    ['/ 0:0 755', '/tmp 0:0 1777', `/tmp/a ${ALICE}:0 1777`],
    '/tmp/a/c 0:0 700',
    'owner /tmp/a',
    'below a sticky directory of a user',
  ],
  [
    ['/ 0:0 755', '/srv 0:0 777'],
    '/srv/c 0:0 700',
    'others /srv',
    'below a directory writable by all',
  ],
  [
    ['/ 0:0 755', '/srv 0:100 775'],
    '/srv/c 0:0 700',
    'group /srv',
    'below a directory writable by another group',
  ],
  [['/ 0:0 755'], '/c 0:100 2770', 'group /c', 'that another group may write'],
  [
    ['/ 0:0 755'],
    '/c 0:100 3770',
    'group /c',
    'writable by another group, sticky: new names matter there',
  ],
  [['/ 0:0 755'], '/c 0:0 1777', 'others /c', 'that all may write, sticky'],
  [
    ['/ 0:0 755', '/tmp 0:0 1777', `/tmp/l ${ALICE}:0 777 ->`],
    '/srv/c 0:0 700',
    'owner /tmp/l',
    'behind a link of a user',
  ],
  [
    ['/ 0:0 755', '/srv 0:0 777'],
    undefined,
    'others /srv',
    'missing, below a directory writable by all',
  ],
])('of %j and %s the decision is "%s": a directory %s', (way, directory, verdict, _what) => {
  expect(judged(way, directory)).toBe(verdict);
});
