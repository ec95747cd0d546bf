// Plays a user who owns a directory of the credential directory and wants root to read or
// write elsewhere: races in it for some seconds. Arguments: seconds, the daemon's process
// id, and paths outside. Runs in that directory, as that user.
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

const [seconds, pid, ...outside] = process.argv.slice(2);
const end = performance.now() + Number(seconds) * 1000;
const pick = (list) => list[Math.floor(Math.random() * list.length)];
const NAMES = ['mytok.top', 'mytok.use', 'mytok.meta', '.mytok.renewal'];
const temporary = () =>
  `.${pick(NAMES.slice(0, 3))}.d${pid}.${1 + Math.floor(Math.random() * 60)}.credmon-tmp`;

/** A link in place of a file, by rename, so that there is no moment without one. */
const swap = (name) => {
  const link = `.link-${process.pid}`;
  rmSync(link, { force: true });
  symlinkSync(pick(outside), link);
  renameSync(link, name);
};

const ACTIONS = [
  () => swap(pick(NAMES)),
  () => swap('mytok.top'),
  // A token that is due at once, with a link to somebody else's refresh token.
  () => {
    swap('mytok.top');
    rmSync('mytok.use', { force: true });
  },
  // A link where the daemon is about to make a temporary file.
  () => symlinkSync(pick(outside), temporary()),
  // What looks like a rename that was interrupted.
  () => writeFileSync(temporary(), JSON.stringify({ refresh_token: 'planted' }), { mode: 0o400 }),
  () => linkSync(pick(outside), pick([temporary(), pick(NAMES)])),
  // A directory for a moment: nothing can be renamed over it.
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
    // Another racer was faster, or the system refuses: that is the point.
  }
  // As long as the daemon may take from one look at a file to the next: now and then it
  // acts on what has just gone.
  await wait(pick([0, 1, 5, 20]));
}
