// The account of HTCondor's daemons, as set by an administrator.
import { expect, it } from 'vitest';
import { createKnobReader } from '../../../src/config/typed/knob-reader.ts';
import { readCondorIds } from '../../../src/config/typed/typed.ts';
import { readText } from '../read-text.ts';

const outcome = (text: string, env: Record<string, string> = {}): unknown => {
  const config = readText(text, { env: { CONDOR_CONFIG: '/c', ...env } });
  const read = createKnobReader(config);
  const ids = readCondorIds(config, read);
  try {
    read.finish();
    return ids;
  } catch (error) {
    return (error as Error).message;
  }
};

it.each([
  ['', {}, undefined],
  ['CONDOR_IDS = 64.65', {}, { uid: 64, gid: 65 }],
  ['CONDOR_IDS = 64.65', { CONDOR_IDS: '7.8' }, { uid: 7, gid: 8 }],
  ['', { CONDOR_IDS: '7.8' }, { uid: 7, gid: 8 }],
  ['CONDOR_IDS = condor.condor', {}, expect.stringContaining('such as 64.64')],
  ['CONDOR_IDS = 64', {}, expect.stringContaining('CONDOR_IDS is "64"')],
])('%j with the environment %j gives %j', (text, env, expected) => {
  expect(outcome(text, env)).toEqual(expected);
});
