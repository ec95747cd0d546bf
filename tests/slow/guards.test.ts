// CPU seconds, bytes and system calls of the built programs, as ratios to floors of the
// same run: none may exceed what was recorded by more than 30 %.
import { startProcess } from '@credmon/test-fixtures/processes/processes';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { compare, type Comparison, type Ratios } from '../../bench/src/shared/recorded.ts';
import { isMissing } from '../support/needs.ts';
import { root } from './daemon-runs.ts';

const ratiosIn = (path: string): Ratios => JSON.parse(readFileSync(path, 'utf8')) as Ratios;
const recorded = ratiosIn(join(root, 'bench/recorded.json'));

describe.skipIf(isMissing('strace'))('the work of the programs', () => {
  let comparisons: readonly Comparison[];
  beforeAll(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'credmon-guards-'));
    const json = join(directory, 'ratios.json');
    const program = join(root, 'bench/dist/run.js');
    const words = [program, '--guards', '--json', json];
    const child = startProcess(process.execPath, words, { PATH: process.env['PATH'] ?? '' });
    const { signal } = await child.exited;
    // It ends with 1 where a guard fails; each has a test of its own below.
    if (signal !== null) throw new Error(`the guards ended by ${signal}:\n${child.output}`);
    comparisons = compare(measuredIn(json, child.output), recorded);
    rmSync(directory, { recursive: true, force: true });
  });

  const measuredIn = (json: string, output: string): Ratios => {
    try {
      return ratiosIn(json);
    } catch (error) {
      throw new Error(`the guards measured nothing:\n${output}`, { cause: error });
    }
  };

  it.each(Object.keys(recorded))('%s is at most 1.3 times what was recorded', (name) => {
    const found = comparisons.find((comparison) => comparison.name === name);
    expect(found?.failed === false ? [] : [found?.text ?? `${name} was not measured`]).toEqual([]);
  });

  it('each guard that is measured is recorded', () => {
    expect(comparisons.map(({ name }) => name).toSorted()).toEqual(
      Object.keys(recorded).toSorted(),
    );
  });
});
