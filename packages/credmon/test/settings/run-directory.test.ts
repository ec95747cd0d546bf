// CREDMON_RUN_DIR: where users see their tokens, or that they do not.
import { expect, it } from 'vitest';
import { settingsWith } from '../support/access-point.ts';

const value = (text?: string): string | undefined => {
  try {
    return settingsWith(text === undefined ? {} : { CREDMON_RUN_DIR: text }).runDir;
  } catch (error) {
    return (error as Error).message;
  }
};

it.each([
  ['/run/condor/credmon', '/run/condor/credmon'],
  ['/run/condor/credmon//', '/run/condor/credmon'],
  ['none', undefined],
  ['None', undefined],
])('%s is %s', (text, expected) => expect(value(text)).toBe(expected));

it('is $(RUN)/credmon by default, but never in the credential directory', () => {
  expect(settingsWith({ LOG: '/log' }).runDir).toBe('/log/credmon');
  expect(settingsWith({ RUN: '/run/condor' }).runDir).toBe('/run/condor/credmon');
  expect(settingsWith({ LOG: '/creds' }).runDir).toBeUndefined();
});

it.each([
  ['credmon', 'CREDMON_RUN_DIR is "credmon": it must be an absolute path, or none'],
  ['$(SEC_CREDENTIAL_DIRECTORY_OAUTH)/run', 'is in the credential directory'],
])('%s is a mistake', (text, expected) => expect(value(text)).toContain(expected));
