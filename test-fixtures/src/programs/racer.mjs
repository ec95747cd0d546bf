// Acts as a user who owns a directory in the credential directory and tries to make root
// read or write elsewhere: runs races there for some seconds. Arguments: seconds, the
// process id of the daemon, and paths outside. Runs in that directory, as that user.
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

const [seconds, pid, ...outside] = process.argv.slice(2);
const end = performance.now() + Number(seconds) * 1000;
const pick = (list) => list[Math.floor(Math.random() * list.length)];
const NAMES = ['mytok.top', 'mytok.use', 'mytok.meta', '.mytok.renewal', '.mytok.issued'];
const temporary = () =>
  `.${pick(NAMES.slice(0, 3))}.d${pid}.${1 + Math.floor(Math.random() * 60)}.credmon-tmp`;

/** Puts a link in place of a file by rename, so that the name always exists. */
const swap = (name) => {
  const link = `.link-${process.pid}`;
  rmSync(link, { force: true });
  symlinkSync(pick(outside), link);
  renameSync(link, name);
};

const ACTIONS = [
  () => swap(pick(NAMES)),
  () => swap('mytok.top'),
  // A token that is due at once, with a link to the refresh token of another user.
  () => {
    swap('mytok.top');
    rmSync('mytok.use', { force: true });
  },
  // A link at the name of the next temporary file of the daemon.
  () => symlinkSync(pick(outside), temporary()),
  // Looks like an interrupted rename.
  () => writeFileSync(temporary(), JSON.stringify({ refresh_token: 'planted' }), { mode: 0o400 }),
  () => linkSync(pick(outside), pick([temporary(), pick(NAMES)])),
  // A directory for a moment: a rename over it fails.
  () => {
    const name = pick(NAMES);
    rmSync(name, { recursive: true, force: true });
    mkdirSync(name);
    rmSync(name, { recursive: true });
  },
  () => {
    const file = `.file-${process.pid}`;
    rmSync(file, { force: true });
    writeFileSync(
      file,
      JSON.stringify({ refresh_token: `own-${Math.random()}`, access_token: 'own' }),
      {
        mode: 0o400,
      },
    );
    renameSync(file, pick(NAMES));
  },
];

while (performance.now() < end) {
  try {
    pick(ACTIONS)();
  } catch {
    // Expected: another racer was faster, or the system refused.
  }
  // About the time between two file operations of the daemon, so that it sometimes acts
  // on a file that was just removed.
  await wait(pick([0, 1, 5, 20]));
}
