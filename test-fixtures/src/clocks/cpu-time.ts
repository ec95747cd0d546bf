// Measures processor time, which does not depend on other load of the machine.

/**
 * Returns the processor time of `work` in this process, in seconds: the minimum of
 * `runs`, because garbage collection of other tests is included.
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
