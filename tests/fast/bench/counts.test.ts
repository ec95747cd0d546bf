// The table of `strace -c` becomes counts of groups of system calls.
import { expect, it } from 'vitest';
import { parseCounts } from '../../../bench/src/shared/counts.ts';

it('adds the calls of a group; errors are no count', () => {
  const table = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.12    0.001200           3       400           fsync
 10.00    0.000200           2       100        12 openat
  9.00    0.000100           1        50           newfstatat
  9.00    0.000100           1        25         5 statx
  5.00    0.000050           1         7           getdents64
  5.00    0.000050           1        11           renameat2
  1.00    0.000010           1         3           rename
  0.88    0.000010           0         2           fdatasync
------ ----------- ----------- --------- --------- ----------------
100.00    0.001720           2       598        17 total
`;
  expect(parseCounts(table)).toEqual({
    open: 100,
    stat: 75,
    read: 7,
    write: 0,
    fsync: 402,
    rename: 14,
  });
});
