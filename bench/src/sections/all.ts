// All sections, in the order of the report.
import type { Section } from '../shared/bench.ts';
import { growth } from './growth.ts';
import { classad, configuration, scitokens } from './library.ts';
import { large } from './large.ts';
import { local, signals } from './local.ts';
import { metrics } from './metrics.ts';
import { portal } from './portal.ts';
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
  portal,
  metrics,
  large,
  scitokens,
  configuration,
  classad,
  growth,
];
