// How values look on a terminal: local time, durations in words, tables in columns.
import type { KeyRecord, RotationStep } from '../keys/rotation.ts';

/** Epoch seconds as local time with its offset: `2026-11-23 13:05:00 +0100`. */
export function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `${seconds} (no date)`;
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

/** Seconds in the two largest units: `3 d 4 h`, `59 s`. */
export function duration(seconds: number): string {
  let rest = Math.floor(Math.abs(seconds));
  const parts: string[] = [];
  for (const [size, name] of UNITS) {
    if (rest >= size && parts.length < 2) parts.push(`${Math.floor(rest / size)} ${name}`);
    rest %= size;
  }
  return parts.length > 0 ? parts.join(' ') : '0 s';
}

/** Rows in columns, two blanks apart, without blanks at line ends. */
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

/** A foreign text on one line, without control characters that a terminal would obey. */
export function printable(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(
    /\p{C}/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

// Keys and the steps of their rotation, as people read them.

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
