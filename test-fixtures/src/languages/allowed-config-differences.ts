// Where the answers of condor_config_val 23.9.6 may differ from ours, which are those of
// HTCondor 25.14.

/** What a program says about a knob; undefined if it rejects the file. */
export interface KnobAnswer {
  readonly value: string;
  readonly raw: string;
}

/** A knob that two programs answer differently, and what condor_config_val complained about. */
export interface ConfigDifference {
  readonly errors: string;
  readonly theirs: KnobAnswer | undefined;
  readonly ours: KnobAnswer | undefined;
}

const ALLOWED: readonly {
  readonly reason: string;
  readonly applies: (difference: ConfigDifference) => boolean;
}[] = [
  {
    reason: 'a macro that fails ends condor_config_val 23.9; 25.14 puts nothing in its place',
    applies: ({ theirs }) => theirs?.value.endsWith('<failed>') === true,
  },
  {
    reason: 'a macro that fails while the file is read ends 23.9, and not 25.14',
    applies: ({ errors, theirs }) => theirs === undefined && /ERROR "\$\w+\(\) macro/.test(errors),
  },
];

/** Returns why the answers may differ; undefined if they may not. */
export function allowedConfigDifference(difference: ConfigDifference): string | undefined {
  return ALLOWED.find(({ applies }) => applies(difference))?.reason;
}
