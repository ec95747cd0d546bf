// What the CPU time of the daemon is: V8's profile of a run, by function.
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from './access-point.ts';
import type { Bench } from './bench.ts';
import { partsOf, sharesOf, sharesText, type CpuProfile } from './cpu-profile.ts';
import { ourProgram, type Program } from './programs.ts';

/** Runs `work` with a daemon that writes a profile, and summarizes the profile. */
export async function profiled(
  bench: Bench,
  work: (bench: Bench, program: Program) => Promise<void>,
): Promise<string> {
  const directory = mkdtempSync(join(bench.work, 'profile-'));
  try {
    const options = ['--cpu-prof', `--cpu-prof-dir=${directory}`];
    // The same program before it is bundled, where functions have their names.
    await work(bench, ourProgram(join(bench.repository, 'packages/credmon/dist/main.js'), options));
    // A helper process may write one, too: the daemon's is the largest.
    const texts = readdirSync(directory).map((name) => readFileSync(join(directory, name), 'utf8'));
    const [text] = texts.toSorted((a, b) => b.length - a.length);
    if (text === undefined) return 'no profile was written';
    const profile = JSON.parse(text) as CpuProfile;
    return `${sharesText(partsOf(profile))}; by function: ${sharesText(sharesOf(profile))}`;
  } finally {
    removeTree(directory);
  }
}
