// Exit codes: what condor_master should restart, and what it should hold.
import { CodedError, type ErrorCode } from '@credmon/core/base';
import { describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../src/command-line/exit-codes.ts';

describe('exit codes', () => {
  it.each<[ErrorCode, number, number]>([
    ['CONFIG_INVALID', 99, 1],
    ['CONFIG_SYNTAX', 99, 1],
    ['CRED_DIR_INVALID', 99, 1],
    ['DIRECTORY_LOCKED', 1, 1],
    ['LOG_UNWRITABLE', 44, 44],
    ['USAGE', 2, 2],
    ['CRED_FILE_IO', 1, 1],
  ])('R46 %s: %d under condor_master, %d by hand', (code, underMaster, byHand) => {
    const error = new CodedError(code, 'x');
    expect([exitCodeOf(error, true), exitCodeOf(error, false)]).toEqual([underMaster, byHand]);
  });

  it('is 1 for unexpected errors', () => {
    expect(exitCodeOf(new TypeError('x'), true)).toBe(1);
  });
});
