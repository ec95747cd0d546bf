// The rows of the report: what was measured of credmon, of the floor of the same run and
// of another credmon, and the targets.
import { medianOf, ratioOf, spreadOf, type Spread } from './statistics.ts';

/** One measurement: the figure of the row, and what it cost where that was measured. */
export interface Sample {
  readonly value: number;
  /** CPU seconds, user and system, of the process and its children. */
  readonly cpu?: number;
  /** Seconds. */
  readonly wall?: number;
  /** Peak resident memory in MiB. */
  readonly peak?: number;
}

/**
 * A limit for the row: of the median itself, or of its ratio to the floor or to the other
 * credmon, which is the median of the ratios of each round.
 */
export interface Target {
  readonly of: 'value' | 'floor' | 'against';
  readonly most?: number;
  readonly least?: number;
}

/** What the figures of a row are. */
export type Unit = 's' | 'ms' | 'MiB' | '/s' | '%' | 'x';

/** One row as it was measured. */
export interface Measured {
  readonly section: string;
  readonly name: string;
  readonly unit: Unit;
  readonly ours: readonly Sample[];
  readonly floor?: readonly Sample[];
  /** What the floor is, for example "readdir and lstat of everything". */
  readonly floorName?: string;
  readonly against?: readonly Sample[];
  readonly targets?: readonly Target[];
  /** Why the row is as it is, or what limits it. */
  readonly note?: string;
}

/** A target and whether it was reached; `measured` is undefined without its counterpart. */
export interface Verdict {
  readonly target: Target;
  readonly measured: number | undefined;
  readonly reached: boolean | undefined;
}

/** A row of the report. */
export interface Row {
  readonly section: string;
  readonly name: string;
  readonly unit: Unit;
  readonly ours: Spread;
  readonly cpu?: number;
  readonly wall?: number;
  readonly peak?: number;
  readonly floor?: Spread;
  readonly floorName?: string;
  readonly floorRatio?: number;
  readonly against?: Spread;
  readonly againstRatio?: number;
  readonly verdicts: readonly Verdict[];
  readonly note?: string;
}

/** Returns the medians, spreads and ratios of a row. */
export function rowOf(measured: Measured): Row {
  const { section, name, unit, ours, floor, floorName, against, targets = [], note } = measured;
  const values = ours.map((sample) => sample.value);
  const ratio = (other: readonly Sample[] | undefined): number | undefined =>
    other === undefined || other.length === 0
      ? undefined
      : ratioOf(
          values,
          other.map((sample) => sample.value),
        );
  const [floorRatio, againstRatio] = [ratio(floor), ratio(against)];
  const measuredOf = { value: medianOf(values), floor: floorRatio, against: againstRatio };
  return {
    section,
    name,
    unit,
    ours: spreadOf(values),
    ...medianField('cpu', ours),
    ...medianField('wall', ours),
    ...medianField('peak', ours),
    ...spreadField('floor', floor),
    ...(floorName === undefined ? {} : { floorName }),
    ...(floorRatio === undefined ? {} : { floorRatio }),
    ...spreadField('against', against),
    ...(againstRatio === undefined ? {} : { againstRatio }),
    verdicts: targets.map((target) => judge(target, measuredOf[target.of])),
    ...(note === undefined ? {} : { note }),
  };
}

/** Whether `measured` keeps the limit. */
export function judge(target: Target, measured: number | undefined): Verdict {
  const { most = Infinity, least = -Infinity } = target;
  const reached = measured === undefined ? undefined : measured <= most && measured >= least;
  return { target, measured, reached };
}

function medianField(
  name: 'cpu' | 'wall' | 'peak',
  samples: readonly Sample[],
): Partial<Record<'cpu' | 'wall' | 'peak', number>> {
  const values = samples.flatMap((sample) => sample[name] ?? []);
  return values.length === 0 ? {} : { [name]: medianOf(values) };
}

function spreadField(
  name: 'floor' | 'against',
  samples: readonly Sample[] | undefined,
): Partial<Record<'floor' | 'against', Spread>> {
  if (samples === undefined || samples.length === 0) return {};
  return { [name]: spreadOf(samples.map((sample) => sample.value)) };
}
