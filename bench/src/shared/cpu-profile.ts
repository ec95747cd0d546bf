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
export function sharesOf(profile: CpuProfile): readonly Share[] {
  return sharesBy(profile, nameOf);
}

/** The parts of the program by the own time of their functions, the largest first. */
export function partsOf(profile: CpuProfile): readonly Share[] {
  return sharesBy(profile, partOf);
}

function sharesBy(
  { nodes, samples, timeDeltas }: CpuProfile,
  nameOfFrame: (frame: ProfileNode['callFrame']) => string,
): readonly Share[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map<string, number>();
  samples.forEach((id, index) => {
    const frame = frames.get(id) ?? { functionName: '(root)', url: '' };
    if (frame.functionName === '(idle)' || frame.functionName === '(root)') return;
    const name = nameOfFrame(frame);
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
    ...(rest >= 0.005 ? [`others ${Math.round(rest * 100)} %`] : []),
  ].join(', ');
}

function nameOf({ functionName, url }: ProfileNode['callFrame']): string {
  if (functionName === '(garbage collector)') return 'garbage collection';
  // Native code outside a function of JavaScript: mostly system calls and loading.
  if (functionName === '(program)') return 'native code';
  const name = functionName === '' ? 'a function without a name' : functionName;
  return url === '' ? name : `${name} (${partOf({ functionName, url })})`;
}

/** `core/store` for a file of ours, the package's name, or what is not JavaScript. */
function partOf({ functionName, url }: ProfileNode['callFrame']): string {
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (url === '') return 'native code';
  if (url.startsWith('node:')) return 'Node.js';
  const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (installed !== undefined) return installed;
  const [, name = '', folder = ''] = /\/packages\/([^/]+)\/dist\/(?:([^/]+)\/)?/.exec(url) ?? [];
  return [name || 'other files', folder].filter((part) => part !== '').join('/');
}
