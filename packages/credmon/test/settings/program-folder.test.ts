// Messages name the programs where they are installed.
import { describe, expect, it } from 'vitest';
import { programFolder } from '../../src/settings/program-folder.ts';

describe('the folder of the programs', () => {
  it.each([
    ['a package', '/usr/bin/condor_credmon', '/usr/bin'],
    ["HTCondor's name in a package", '/usr/sbin/condor_credmon_oauth', '/usr/bin'],
    ['a directory', '/opt/credmon/bin/condor_credmon', '/opt/credmon/bin'],
    ['/usr/local', '/usr/local/bin/condor_credmon', '/usr/local/bin'],
    ['a bundle of a checkout', '/src/dist/bin/condor_credmon.cjs', '/usr/local/bin'],
    ['a relative path', 'condor_credmon', '/usr/local/bin'],
    ['no program', undefined, '/usr/local/bin'],
  ])('of %s', (_, started, folder) => {
    expect(programFolder(started)).toBe(folder);
  });
});
