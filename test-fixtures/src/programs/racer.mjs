// Plays a user who owns a directory of the credential directory and wants root to read or write elsewhere: races in it for some seconds.
// Arguments: seconds, the daemon's process id, and paths outside. Runs in that directory, as that user.
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';

const [seconds, pid, ...outside] = process.argv.slice(2);
const end = performance.now() + Number(seconds) * 1000;
const pick = (list) => list[Math.floor(Math.random() * list.length)];
const NAMES = ['mytok.top', 'mytok.use', 'mytok.meta', '.mytok.renewal'];
const temporary = () =>
  `.${pick(NAMES.slice(0, 3))}.d${pid}.${1 + Math.floor(Math.random() * 60)}.credmon-tmp`;

const ACTIONS = [
  // A link in place of a file, by rename, so that there is no moment without one.
  () => {
    const link = `.link-${process.pid}`;
    symlinkSync(pick(outside), link);
    renameSync(link, pick(NAMES));
  },
  // A link where the daemon is about to make a temporary file.
  () => symlinkSync(pick(outside), temporary()),
  // What looks like a rename that was interrupted.
  () => writeFileSync(temporary(), JSON.stringify({ refresh_token: 'planted' }), { mode: 0o400 }),
  () => linkSync(pick(outside), pick([temporary(), pick(NAMES)])),
  () => mkdirSync(pick(NAMES)),
  () => rmSync(pick(NAMES), { recursive: true }),
  () => {
    const file = `.file-${process.pid}`;
    writeFileSync(file, JSON.stringify({ refresh_token: `own-${Math.random()}`, access_token: 'own' }), {
      mode: 0o400,
    });
    renameSync(file, pick(NAMES));
  },
];

while (performance.now() < end) {
  try {
    pick(ACTIONS)();
  } catch {
    // Another racer was faster, or the system refuses: that is the point.
  }
  await turn();
}
