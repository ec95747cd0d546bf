// The format of values on a terminal: local times, values of tokens, and keys.
import { printableLine, tableText } from '@credmon/core/base';
import type { KeyRecord, RotationStep } from '../keys/rotation.ts';

/** Formats epoch seconds as local time with its offset: `2026-11-23 13:05:00 +0100`. */
export function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `${seconds} (invalid date)`;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}${two(Math.abs(offset) % 60)}`;
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${day} ${time} ${zone}`;
}

/** Returns a value of a token on one line, without characters that control a terminal. */
export function shownValue(value: unknown): string {
  return printableLine(typeof value === 'string' ? value : JSON.stringify(value));
}

// The format of keys and rotation steps.

const DATES = ['created', 'published', 'activated', 'retiring', 'retired'] as const;

/**
 * Formats one step of a rotation: `activate 3f2a`, or the reason of a wait and its end
 * (local time).
 */
export function stepText(step: RotationStep): string {
  if (step.step !== 'wait') return `${step.step}${'kid' in step ? ` ${step.kid}` : ''}`;
  return `${step.reason}${step.until === undefined ? '' : ` until ${localTime(step.until)}`}`;
}

/**
 * Formats the keys of a directory in columns, with their states and local dates; 80
 * columns with key ids of up to five letters. Ends in a newline.
 */
export function keyTable(keys: readonly KeyRecord[]): string {
  const dateOf = (seconds: number | undefined): string =>
    seconds === undefined ? '-' : localTime(seconds).slice(0, 10);
  return `${tableText([
    ['KID', 'ALG', 'STATE', ...DATES.map((name) => name.toUpperCase())],
    ...keys.map((key) => [
      key.kid,
      key.algorithm,
      key.state,
      ...DATES.map((name) => dateOf(key[name])),
    ]),
  ])}\n`;
}
