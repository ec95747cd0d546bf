// `npm run bench`: measures the installed programs, section by section, beside floors of
// the same run.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, release, type } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { partOf, replacePart, type Profile, type Report } from './output/page.ts';
import { plotsOf } from './output/plots.ts';
import { cellsOf, markdownTable } from './output/table.ts';
import { HELP, parseArguments, type Options } from './shared/arguments.ts';
import { commitOf, createBench, MEMORY, type Bench } from './shared/bench.ts';
import { compare, recordedText, type Ratios } from './shared/recorded.ts';
import { rowOf, type Row } from './shared/rows.ts';
import { SECTIONS } from './sections/all.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const began = performance.now();
const say = (line: string): void =>
  console.error(`bench: ${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`);

async function measure(options: Options): Promise<void> {
  const machine = {
    cores: availableParallelism(),
    node: process.version,
    system: `${type()} ${release().split('.').slice(0, 2).join('.')}`,
    commit: commitOf(repository),
    date: new Date().toISOString().slice(0, 10),
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
  const bench = createBench(options, repository, say);
  const chosen = SECTIONS.filter(
    ({ name }) => options.sections.length === 0 || options.sections.includes(name),
  );
  const rows: Row[] = [];
  const profiles: Profile[] = [];
  const seconds = new Map<string, number>();
  try {
    for (const section of chosen) {
      say(`section ${section.name}`);
      const sectionBegan = performance.now();
      const measured = (await section.measure(bench)).map(rowOf);
      rows.push(...measured);
      console.log(`\n${section.title}\n\n${markdownTable(cellsOf(measured))}`);
      if (options.profile && section.profile) {
        const text = await profileOf(bench, section.name, section.profile);
        profiles.push({ section: section.name, text });
        console.log(`CPU time: ${text}`);
      }
      seconds.set(section.name, (performance.now() - sectionBegan) / 1000);
    }
  } finally {
    bench.remove();
  }
  const plots = plotsOf(rows, bench.growth);
  const report: Report = {
    machine,
    other: bench.against?.name,
    sections: SECTIONS,
    rows,
    profiles,
    plots,
    remarks: bench.remarks,
  };
  if (options.json !== undefined)
    writeFileSync(
      options.json,
      `${JSON.stringify({ ...report, growth: bench.growth, plots: undefined }, undefined, 2)}\n`,
    );
  if (options.write) writePage(report, plots);
  const parts = [...seconds].map(([name, taken]) => `${name} ${Math.round(taken)}`);
  say(
    `took ${Math.round((performance.now() - began) / 1000)} s; seconds of each section: ${parts.join(', ')}`,
  );
}

function writePage(report: Report, plots: ReturnType<typeof plotsOf>): void {
  const page = join(repository, 'docs/performance.md');
  const directory = join(repository, 'docs/performance');
  mkdirSync(directory, { recursive: true });
  for (const { name, text } of plots)
    for (const scheme of ['light', 'dark'] as const)
      writeFileSync(join(directory, `${name}-${scheme}.svg`), text(scheme));
  writeFileSync(page, replacePart(readFileSync(page, 'utf8'), partOf(report)));
}

async function profileOf(
  bench: Bench,
  name: string,
  work: NonNullable<(typeof SECTIONS)[number]['profile']>,
): Promise<string> {
  const { profiled } = await import('./shared/profile.ts');
  say(`profile of ${name}`);
  return profiled(bench, work);
}

/** The file of the recorded ratios. */
const RECORDED = join(repository, 'bench/recorded.json');

async function guard(options: Options): Promise<void> {
  const { measureGuards } = await import('./guards.ts');
  // In memory: the CPU time of a disk's file system differs from machine to machine.
  const bench = createBench({ directory: MEMORY, ...options }, repository, say);
  try {
    const ratios = await measureGuards(bench);
    if (options.record) writeFileSync(RECORDED, recordedText(ratios));
    const recorded = JSON.parse(readFileSync(RECORDED, 'utf8')) as Ratios;
    const comparisons = compare(ratios, recorded);
    for (const { text } of comparisons) console.log(text);
    if (options.json !== undefined)
      writeFileSync(options.json, `${JSON.stringify(ratios, undefined, 2)}\n`);
    if (comparisons.some(({ failed }) => failed)) process.exitCode = 1;
  } finally {
    bench.remove();
  }
}

// What was started ends, and what was written is removed, in handlers of `exit`.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(1));

try {
  const options = parseArguments(
    process.argv.slice(2),
    SECTIONS.map(({ name }) => name),
  );
  if (options.help)
    console.log(`${HELP}\nsections: ${SECTIONS.map(({ name }) => name).join(', ')}`);
  else if (options.guards || options.record) await guard(options);
  else await measure(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  if (error instanceof Error && error.cause !== undefined) console.error(error.cause);
  process.exitCode = 1;
}
