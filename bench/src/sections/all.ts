// All sections, in the order of the report.
import type { Section } from '../shared/bench.ts';
import { classad, configuration, scitokens } from './library.ts';
import { local, signals } from './local.ts';
import { renewals } from './renewals.ts';
import { firstPass, fullLook, idle, memory } from './scan.ts';
import { start } from './start.ts';

export const SECTIONS: readonly Section[] = [
  firstPass,
  fullLook,
  idle,
  memory,
  renewals,
  local,
  signals,
  start,
  scitokens,
  configuration,
  classad,
];
