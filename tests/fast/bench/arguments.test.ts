// The command line of `npm run bench`.
import { expect, it } from 'vitest';
import { parseArguments } from '../../../bench/src/shared/arguments.ts';

const NAMES = ['scan', 'start'];
const DEFAULTS = {
  sections: [],
  quick: false,
  full: false,
  rounds: 5,
  profile: false,
  write: false,
  guards: false,
  record: false,
  help: false,
};

it.each([
  [[], {}],
  [['--section', 'start,scan'], { sections: ['start', 'scan'] }],
  [['--section=scan', '--json=f'], { sections: ['scan'], json: 'f' }],
  [['--quick'], { quick: true, rounds: 3 }],
  [['--quick', '--rounds', '7'], { quick: true, rounds: 7 }],
  [['--against', 'pool', '--profile', '--write'], { against: 'pool', profile: true, write: true }],
  [['--against', 'python3 x.py -v'], { against: 'python3 x.py -v' }],
  [['--directory', 'd', '--full', '--record'], { directory: 'd', full: true, record: true }],
  [['--guards'], { guards: true }],
  [['--help'], { help: true }],
])('%j', (words, options) => {
  expect(parseArguments(words, NAMES)).toEqual({ ...DEFAULTS, ...options });
});

it.each([
  [['--slow'], 'unknown argument: --slow'],
  [['scan'], 'unknown argument: scan'],
  [['--quick=yes'], 'unknown argument: --quick=yes'],
  [['--section', 'web'], 'unknown section: web; sections: scan, start'],
  [['--json'], '--json needs a value'],
  [['--rounds', '0'], '--rounds must be a whole number of at least 1'],
  [['--rounds', 'x'], '--rounds must be a whole number of at least 1'],
  [['--quick', '--full'], '--quick and --full exclude each other'],
])('%j is an error: %s', (words, message) => {
  expect(() => parseArguments(words, NAMES)).toThrow(message);
});
