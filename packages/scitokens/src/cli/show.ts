// The format of values on a terminal: local time, durations in words, tables in columns.
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

const UNITS: readonly (readonly [number, string])[] = [
  [86400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** Formats seconds in the two largest units: `3 d 4 h`, `59 s`. */
export function duration(seconds: number): string {
  let rest = Math.floor(Math.abs(seconds));
  const parts: string[] = [];
  for (const [size, name] of UNITS) {
    if (rest >= size && parts.length < 2) parts.push(`${Math.floor(rest / size)} ${name}`);
    rest %= size;
  }
  return parts.length > 0 ? parts.join(' ') : '0 s';
}

/** Formats rows in columns, two blanks apart, without trailing blanks. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Escapes control characters of an untrusted text, which could control a terminal. */
export function printable(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(
    /\p{C}/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
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
