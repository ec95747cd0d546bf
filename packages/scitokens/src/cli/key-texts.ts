// Keys and the steps of their rotation, as people read them.
import type { KeyRecord, RotationStep } from '../keys/rotation.ts';
import { localTime, table } from './show.ts';

const DATES = ['created', 'published', 'activated', 'retiring', 'retired'] as const;

/**
 * One step of a rotation: `activate 3f2a`, or what is waited for and until when (local
 * time).
 */
export function stepText(step: RotationStep): string {
  if (step.step !== 'wait') return `${step.step}${'kid' in step ? ` ${step.kid}` : ''}`;
  return `${step.reason}${step.until === undefined ? '' : ` until ${localTime(step.until)}`}`;
}

/**
 * The keys of a directory in columns, with their states and local days; with names of up
 * to five letters, in 80 columns. Ends in a newline.
 */
export function keyTable(keys: readonly KeyRecord[]): string {
  const dateOf = (seconds: number | undefined): string =>
    seconds === undefined ? '-' : localTime(seconds).slice(0, 10);
  return table([
    ['KID', 'ALG', 'STATE', ...DATES.map((name) => name.toUpperCase())],
    ...keys.map((key) => [
      key.kid,
      key.algorithm,
      key.state,
      ...DATES.map((name) => dateOf(key[name])),
    ]),
  ]);
}
