// The recorded ratios of the guards, and the comparison with them.

/** Ratios to the floor of the same run, by the name of the guard. */
export type Ratios = Readonly<Record<string, number>>;

/** A guard fails at this multiple of its recorded ratio. */
export const TOLERANCE = 1.3;

/** A guard that was measured now. */
export interface Comparison {
  readonly name: string;
  readonly measured: number;
  readonly recorded: number | undefined;
  readonly failed: boolean;
  /** One line for the reader of a failed test. */
  readonly text: string;
}

/**
 * Compares measured ratios with the recorded ones. A guard without a recorded ratio
 * fails; a recorded ratio of 0 allows nothing but 0.
 */
export function compare(measured: Ratios, recorded: Ratios): readonly Comparison[] {
  return Object.entries(measured).map(([name, ratio]) => {
    const known = recorded[name];
    const limit = known === undefined ? undefined : known * TOLERANCE;
    const failed = limit === undefined || !(ratio <= limit);
    const figures = `${name}: ${show(ratio)} times the floor`;
    const text =
      known === undefined
        ? `${figures}, no ratio recorded`
        : `${figures}, recorded ${show(known)}, limit ${show(known * TOLERANCE)}`;
    return {
      name,
      measured: ratio,
      recorded: known,
      failed,
      text: failed ? `${text}; if this is intended: npm run bench -- --record` : text,
    };
  });
}

/** The text of the file of recorded ratios: sorted, three digits after the point. */
export function recordedText(ratios: Ratios): string {
  const sorted = Object.entries(ratios).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const rounded = sorted.map(([name, ratio]) => [name, Number(ratio.toFixed(3))]);
  return `${JSON.stringify(Object.fromEntries(rounded), undefined, 2)}\n`;
}

const show = (ratio: number): string => String(Number(ratio.toPrecision(3)));
