// Whether the place of the credential directory can be trusted: a judgement over what
// lstat shows of each name on the way. Pure.

/**
 * One name on the way from `/` to a directory, and of each symbolic link's target, in the
 * order in which the system follows them.
 */
export interface PathStep {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly kind: 'directory' | 'link';
}

/** Whom a directory with credentials may belong to. */
export interface Trust {
  readonly user: (uid: number) => boolean;
  readonly group: (gid: number) => boolean;
}

/** Why a step cannot be trusted: its owner, or who may write there. */
export interface Weakness {
  readonly why: 'owner' | 'group' | 'others';
  readonly step: PathStep;
}

const STICKY = 0o1000;
const GROUP_WRITE = 0o020;
const OTHERS_WRITE = 0o002;

/**
 * The first step that somebody could use who is not trusted, from `/` on: `way` leads to
 * `directory`, where that is there. The owner of a directory may rename what is in it,
 * and so may its group and others who may write there, unless it is sticky. In the
 * credential directory new names count too: there sticky does not help.
 */
export function weaknessOf(
  way: readonly PathStep[],
  directory: PathStep | undefined,
  trust: Trust,
): Weakness | undefined {
  for (const step of [...way, ...(directory ? [directory] : [])]) {
    const why = weaknessOfStep(step, step === directory, trust);
    if (why) return { why, step };
  }
  return undefined;
}

function weaknessOfStep(step: PathStep, last: boolean, trust: Trust): Weakness['why'] | undefined {
  if (!trust.user(step.uid)) return 'owner';
  // The mode of a link means nothing.
  if (step.kind === 'link' || ((step.mode & STICKY) !== 0 && !last)) return undefined;
  if ((step.mode & OTHERS_WRITE) !== 0) return 'others';
  return (step.mode & GROUP_WRITE) !== 0 && !trust.group(step.gid) ? 'group' : undefined;
}
