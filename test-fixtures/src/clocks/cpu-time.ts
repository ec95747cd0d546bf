// How much work something is, whatever else the machine does meanwhile.

/**
 * The processor time of this process, in seconds, that `work` takes: the best of `runs`,
 * because the collection of other tests' garbage counts as well.
 */
export function cpuSeconds(work: () => unknown, runs = 3): number {
  const one = (): number => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
  return Math.min(...Array.from({ length: runs }, one));
}
