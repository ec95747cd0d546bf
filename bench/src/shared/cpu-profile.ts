// Shares of CPU time by function, from a profile of V8.

/** A node of a .cpuprofile: a function, and the calls in it. */
interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
}

/** What is used of a .cpuprofile; times are microseconds. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** A function and its share (0 to 1) of the time in which something ran. */
export interface Share {
  readonly name: string;
  readonly share: number;
}

/** The functions by their own time, the largest first; idle time is left out. */
export function sharesOf({ nodes, samples, timeDeltas }: CpuProfile): readonly Share[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  samples.forEach((id, index) => {
    const name = names.get(id) ?? '';
    if (name === '(idle)' || name === '(root)') return;
    times.set(name, (times.get(name) ?? 0) + Math.max(0, timeDeltas[index] ?? 0));
  });
  const whole = [...times.values()].reduce((total, time) => total + time, 0);
  return [...times]
    .map(([name, time]) => ({ name, share: time / whole }))
    .toSorted((a, b) => b.share - a.share);
}

/** `fsync 31 %, open 20 %, ...`, the eight largest of at least 1 %. */
export function sharesText(shares: readonly Share[]): string {
  const shown = shares.slice(0, 8).filter(({ share }) => share >= 0.01);
  const rest = 1 - shown.reduce((total, { share }) => total + share, 0);
  return [
    ...shown.map(({ name, share }) => `${name} ${Math.round(share * 100)} %`),
    `other functions ${Math.round(rest * 100)} %`,
  ].join(', ');
}

function nameOf({ functionName, url }: ProfileNode['callFrame']): string {
  if (functionName === '(garbage collector)') return 'garbage collection';
  // Native code outside a function of JavaScript: mostly system calls and loading.
  if (functionName === '(program)') return 'native code';
  const name = functionName === '' ? 'a function without a name' : functionName;
  return url.startsWith('node:') ? `${name} (${url})` : name;
}
